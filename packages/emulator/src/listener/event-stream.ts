import type { ServerResponse } from 'node:http';
import type { Frame } from '../wire/wire.js';

/** Writes the head of an event stream (P22), unless it was written. Node.js sends it with the first event. */
export function openEventStream(response: ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
}

/** One event of an event stream: an `event:` line and a `data:` line. */
export function sseEvent({ type, text }: Frame): string {
  return `event: ${type}\ndata: ${text}\n\n`;
}
