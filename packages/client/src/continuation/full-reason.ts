/**
 * Why a turn's input is sent whole although a connection could have continued a chain. Reasons that end in a colon are followed by
 * what is meant: an index into the input, or the name of a field. `docs/continuation.md` says of each what to do, and a test compares.
 */
export const fullReasons = [
  /** The input has nothing that a model made: there is nothing to continue. */
  'first_turn',
  /** A response matches, but this field, which shapes the context, is not what it was made with. */
  'fields_changed:',
  /** The input is as the server holds it up to this index, and differs there. */
  'history_diverged_at:',
  /** Nothing of the input is remembered, not even its first item. */
  'history_unknown',
  /** All of the input is held, but no response is remembered that ended within it. */
  'history_rewound',
  /** A response matches, but the server is known not to have it any more, or has it where it cannot be reached. */
  'chain_lost',
  /** The server takes `previous_response_id` and ignores it: for this model it was found out within the last hour. */
  'id_ignored',
  /** The input is exactly what the server holds: no item would be left to send. */
  'nothing_new',
  /** The request has this field, with which a turn is never continued by id. */
  'unchainable:',
] as const;

type Name = (typeof fullReasons)[number];
type WithIndex = 'history_diverged_at:';
type WithField = 'fields_changed:' | 'unchainable:';

/** One of {@link fullReasons}, complete: `first_turn`, `fields_changed: tools`, `history_diverged_at: 7`, … */
export type FullReason = Exclude<Name, WithIndex | WithField> | `${WithIndex} ${number}` | `${WithField} ${string}`;
