import type { Incremental } from '../base/incremental.js';
import { multiAgentBeta } from '../wire/multi-agent.js';
import { Refusal } from '../wire/refusal.js';
import { parseJson } from '../request/json-body.js';
import type { ReceivedCreate } from '../engine/turn-sink.js';
import { isRecord } from '../wire/wire.js';

/** A message of a client on a socket. A create with a `refusal` is refused without being checked. */
export type ClientEvent =
  | (ReceivedCreate & { readonly kind: 'create' })
  | { readonly kind: 'steer'; readonly body: Record<string, unknown>; readonly bytes: number }
  | { readonly kind: 'interrupt'; readonly body: Record<string, unknown> }
  | { readonly kind: 'inject'; readonly body: Record<string, unknown>; readonly bytes: number }
  | { readonly kind: 'ignored' };

/** The events that a socket accepts beside creates. */
export interface Accepted {
  /** Whether it accepts `response.steer` and `response.interrupt`. */
  readonly steering: boolean;
  /** Whether it accepts `response.inject`, which needs a beta header in the upgrade (P4). */
  readonly inject: boolean;
}

/** Reads one message. An unknown event becomes a create with a refusal, so that its error is sent in the order of the lane. */
export function* readClientEvent(
  raw: Buffer,
  isBinary: boolean,
  { steering, inject }: Accepted,
): Incremental<ClientEvent> {
  const bytes = raw.byteLength;
  let body: unknown;
  const refused = (message: string, code: string, param: string | null = null): ClientEvent => ({
    kind: 'create',
    body,
    bytes,
    refusal: new Refusal(message, { code, param }),
  });
  if (isBinary) return refused('A message must be a text frame, not a binary one.', 'invalid_frame');
  try {
    body = yield* parseJson(raw, 'The message is not JSON.');
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'create', body, bytes, refusal: error };
    throw error;
  }
  if (!isRecord(body)) return refused('The message must be a JSON object.', 'invalid_type');
  const { type } = body;
  if (type === 'response.create') return { kind: 'create', body, bytes };
  if (type === 'response.steer' && steering) return { kind: 'steer', body, bytes };
  if (type === 'response.interrupt' && steering) return { kind: 'interrupt', body };
  if (type === 'response.inject' && inject) return { kind: 'inject', body, bytes };
  // Codex reports with this event that it has read a response; servers ignore it (P33).
  if (type === 'response.processed') return { kind: 'ignored' };
  if (type === undefined) return refused("Missing required parameter: 'type'.", 'missing_required_parameter', 'type');
  if (type === 'response.inject') {
    return refused(`'response.inject' needs the header 'OpenAI-Beta: ${multiAgentBeta}'.`, 'invalid_value', 'type');
  }
  const known = steering ? "'response.create', 'response.steer' and 'response.interrupt'" : "'response.create'";
  return refused(
    `Invalid value for 'type': ${JSON.stringify(type)}; supported values are ${known}.`,
    'invalid_value',
    'type',
  );
}
