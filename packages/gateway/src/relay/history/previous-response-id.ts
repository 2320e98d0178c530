import type { RelayEvent } from '@turnwire/client/relay';

/** Events that contain the whole response. */
const lifecycle = /^response\.(created|queued|in_progress|completed|incomplete|failed|cancelled|done)$/;
const member = /"previous_response_id"\s*:\s*(?:null|"[^"\\]*")/g;

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

/** As `withPreviousResponseId`, for the JSON of a lifecycle event or of a response. Nothing else in the text changes. */
export function textWithPreviousResponseId(text: string, { named, sent }: PreviousResponseIds): string {
  let value: { response?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return text;
  }
  const response = (value.response ?? value) as { previous_response_id?: unknown };
  // A successor of a steered response names the steered one, which is right for the client, too.
  if ((response.previous_response_id ?? undefined) !== sent) return text;
  // Quotation marks are escaped within strings, so a match is a member; a single match is the member of the response.
  if (response.previous_response_id !== undefined && text.match(member)?.length === 1)
    return text.replace(member, () => `"previous_response_id":${JSON.stringify(named)}`);
  response.previous_response_id = named;
  return JSON.stringify(value);
}
