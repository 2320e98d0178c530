import type { RelayEvent } from '@turnwire/client/relay';

/** Events that have the whole response in them. */
const lifecycle = /^response\.(created|queued|in_progress|completed|incomplete|failed|cancelled|done)$/;
const member = /"previous_response_id"\s*:\s*(?:null|"[^"\\]*")/g;

/** What a client has named, and what the upstream was told in its place: nothing, or another response with the same context. */
export interface Parents {
  named: string;
  told: string | undefined;
}

/**
 * An event of a turn that did not go up with the response that its client has named: it names that response, as the client's own request did. A client
 * that checks what was continued would else take the answer for one to another input, and ask again.
 */
export function namingParent(event: RelayEvent, parents: Parents): RelayEvent {
  if (event.type === undefined || !lifecycle.test(event.type)) return event;
  const text = textNamingParent(event.text, parents);
  return { type: event.type, text, size: Buffer.byteLength(text) };
}

/** The same for the JSON of such an event, or of a response. Nothing else of it changes. */
export function textNamingParent(text: string, { named, told }: Parents): string {
  let value: { response?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return text;
  }
  const response = (value.response ?? value) as { previous_response_id?: unknown };
  // The successor of a steered response names that one.
  if ((response.previous_response_id ?? undefined) !== told) return text;
  // Within a text every quotation mark is escaped, so that this is a member; where it stands once, it is that of the response.
  if (response.previous_response_id !== undefined && text.match(member)?.length === 1)
    return text.replace(member, () => `"previous_response_id":${JSON.stringify(named)}`);
  response.previous_response_id = named;
  return JSON.stringify(value);
}
