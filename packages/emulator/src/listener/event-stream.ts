import type { ServerResponse } from 'node:http';
import type { Frame } from '../wire/wire.js';

/** Opens an event stream (P22), unless it is open. Its head leaves with the first event. */
export function openEventStream(response: ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
}

/** One event of it: an `event:` and a `data:` line. */
export function eventText({ type, text }: Frame): string {
  return `event: ${type}\ndata: ${text}\n\n`;
}
