import type { RelayEvent } from '@turnwire/client/relay';

/** Events that contain the whole response. */
const lifecycle = /^response\.(created|queued|in_progress|completed|incomplete|failed|cancelled|done)$/;
const member = /"previous_response_id"\s*:\s*(?:null|"[^"\\]*")/g;

/** The response that a client has named, and the one that the upstream was sent in its place: none, or another with the same context. */
export interface Parents {
  named: string;
  told: string | undefined;
}

/**
 * Writes into an event the response that the client named, where the upstream was sent another or none. A client that checks `previous_response_id` would
 * else take the event for the answer to another input, and ask again.
 */
export function namingParent(event: RelayEvent, parents: Parents): RelayEvent {
  if (event.type === undefined || !lifecycle.test(event.type)) return event;
  const text = textNamingParent(event.text, parents);
  return { type: event.type, text, size: Buffer.byteLength(text) };
}

/** Writes the client's response into the JSON of such an event, or of a response; the rest stays as it is. */
export function textNamingParent(text: string, { named, told }: Parents): string {
  let value: { response?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return text;
  }
  const response = (value.response ?? value) as { previous_response_id?: unknown };
  // A successor of a steered response names the steered one, which is right for the client, too.
  if ((response.previous_response_id ?? undefined) !== told) return text;
  // Quotation marks are escaped within strings, so a match is a member; a single match is the member of the response.
  if (response.previous_response_id !== undefined && text.match(member)?.length === 1)
    return text.replace(member, () => `"previous_response_id":${JSON.stringify(named)}`);
  response.previous_response_id = named;
  return JSON.stringify(value);
}
