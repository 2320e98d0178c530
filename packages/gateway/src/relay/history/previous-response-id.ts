import { memberOf } from '@turnwire/client/relay';
import type { RelayEvent } from '@turnwire/client/relay';

/** Events that contain the whole response. */
const lifecycle = /^response\.(created|queued|in_progress|completed|incomplete|failed|cancelled|done)$/;
const name = 'previous_response_id';

/** The `previous_response_id` that the client has named, and the one that the upstream was sent instead: none, or another response with the same context. */
export interface PreviousResponseIds {
  named: string;
  sent: string | undefined;
}

/**
 * Replaces the `previous_response_id` in an event by the one that the client named, when the upstream was sent another or none. A client that checks the id
 * would otherwise take the event for the answer to another input, and ask again.
 */
export function withPreviousResponseId(event: RelayEvent, ids: PreviousResponseIds): RelayEvent {
  if (event.type === undefined || !lifecycle.test(event.type)) return event;
  const text = textWithPreviousResponseId(event.text, ids);
  return { type: event.type, text, size: Buffer.byteLength(text) };
}

/** As `withPreviousResponseId`, for the JSON of a lifecycle event or of a response. No other byte of the text changes. */
export function textWithPreviousResponseId(text: string, { named, sent }: PreviousResponseIds): string {
  const value = parsed(text);
  if (value === undefined) return text;
  const response = objectIn(value, 'response') ?? value;
  // A successor of a steered response names the steered one, which is right for the client, too.
  if ((response[name] ?? undefined) !== sent) return text;
  const at = response === value ? 0 : (memberOf(text, 0, 'response')?.from ?? 0);
  const member = memberOf(text, at, name);
  const id = JSON.stringify(named);
  if (member !== undefined) return text.slice(0, member.from) + id + text.slice(member.to);
  const begin = text.indexOf('{', at) + 1;
  const comma = Object.keys(response).length === 0 ? '' : ',';
  return `${text.slice(0, begin)}"${name}":${id}${comma}${text.slice(begin)}`;
}

type Members = Record<string, unknown>;

function parsed(text: string): Members | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function objectIn(value: Members, key: string): Members | undefined {
  return asObject(value[key]);
}

function asObject(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}
