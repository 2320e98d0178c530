import { createParser } from 'eventsource-parser';
import type { Response } from 'undici';
import { causeOf, McpFailure } from '../failure.js';
import { messageLimit } from './transport.js';

export interface StreamEvent {
  type: string;
  data: string;
}

export interface StreamListener {
  /** True ends the reading: the rest of the stream is not needed. */
  event(event: StreamEvent): boolean;
  id?(id: string): void;
  retry?(ms: number): void;
}

/** The time that a stream may take to end once nothing more of it is needed, so that its connection can be used again; in milliseconds. */
const drainMs = 500;

export function isEventStream({ headers }: Response): boolean {
  return /^\s*text\/event-stream\b/i.test(headers.get('content-type') ?? '');
}

/**
 * Reads events until the listener has what it wants (true), or the stream ends (false).
 *
 * @throws McpFailure for a stream that breaks off or holds an event that is too long, or the reason of the signal
 */
export async function readEvents(response: Response, listener: StreamListener, signal?: AbortSignal): Promise<boolean> {
  let done = false;
  let tooLong = false;
  const parser = createParser({
    onEvent({ id, event, data }) {
      if (id !== undefined && id !== '') listener.id?.(id);
      if (!done && data !== '') done = listener.event({ type: event ?? 'message', data });
    },
    onRetry: (ms) => listener.retry?.(ms),
    onError(error) {
      tooLong ||= error.type === 'max-buffer-size-exceeded';
    },
    maxBufferSize: messageLimit,
  });
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  if (reader === undefined) return false;
  try {
    for (;;) {
      const chunk = await reader.read();
      if (chunk.done) return done;
      parser.feed(decoder.decode(chunk.value as Uint8Array, { stream: true }));
      if (done) {
        void drain(reader);
        return true;
      }
      if (tooLong) throw new McpFailure('unanswered', `it sent a message of more than ${messageLimit / 1024 ** 2} MiB`);
    }
  } catch (error) {
    if (!done) void reader.cancel().catch(() => undefined);
    signal?.throwIfAborted();
    if (error instanceof McpFailure) throw error;
    throw new McpFailure('unanswered', `its answer broke off: ${causeOf(error)}`, { cause: error });
  }
}

interface Reader {
  read(): Promise<{ done: boolean }>;
  cancel(): Promise<unknown>;
}

async function drain(reader: Reader): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), drainMs);
  try {
    while (!(await reader.read()).done);
  } catch {
    // A stream that breaks while it is drained loses nothing.
  } finally {
    clearTimeout(timer);
  }
}
