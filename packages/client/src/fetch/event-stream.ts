import type { Frame } from '../protocol/frame.js';
import type { Reader } from '../turn/delivery.js';

/** As much as is handed over at once, if it has arrived already; in characters. */
const chunkSize = 64 * 1024;

export interface EventStreamOptions {
  signal: AbortSignal | undefined;
  /** What the body fails with, for what the frames failed with: a drop never ends it cleanly (X19). */
  failed: (error: unknown) => unknown;
  /** It was read to its end. */
  ended: () => void;
}

/**
 * The body of a streaming answer: each frame as one event, its JSON untouched, and the end of the turn as the end of the stream, without `[DONE]`
 * (P22, P23). Made when it is asked for and not before, so that a consumer that sleeps holds up the socket (I4).
 */
export function eventStream(
  opening: readonly Frame[],
  frames: Reader<Frame>,
  { signal, failed, ended }: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let first = opening.map(toEvent).join('');
  let over = opening.some(isLast);
  const stream: ReadableStream<Uint8Array> = new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        let text = first;
        first = '';
        try {
          // What lies here when the turn is aborted is not wanted any more, unless the end of the turn has been taken.
          if (signal?.aborted && !over) throw signal.reason;
          if (text === '') {
            const next = await frames.next();
            if (next.done) {
              ended();
              controller.close();
              // A reader with a buffer of its own waits for it.
              controller.byobRequest?.respond(0);
              return;
            }
            text = toEvent(next.value);
            over = isLast(next.value);
          }
          for (let frame; text.length < chunkSize && (frame = frames.poll()) !== undefined;) {
            text += toEvent(frame);
            over ||= isLast(frame);
          }
        } catch (error) {
          void frames.return?.();
          throw failed(error);
        }
        // Its buffer is its own: a byte stream takes it away.
        controller.enqueue(encoder.encode(text));
      },
      async cancel() {
        // After the last event this is the end of the turn, and before it an abort.
        await frames.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  lost.register(stream, frames);
  return stream;
}

/** A body that nobody can read any more is cancelled when its memory is: as those of the ordinary fetch are. */
const lost = new FinalizationRegistry<Reader<Frame>>((frames) => void frames.return?.());

/** One event of `text/event-stream`: a line for each line of the JSON. */
export function toEvent({ type, text }: Frame): string {
  const data = hasLines(text) ? text.split(lineBreak).join('\ndata: ') : text;
  return type === undefined || hasLines(type) ? `data: ${data}\n\n` : `event: ${type}\ndata: ${data}\n\n`;
}

/** Looking for single characters is several times faster than the expression, and as good as never finds one. */
function hasLines(text: string): boolean {
  return text.includes('\n') || text.includes('\r');
}

const lineBreak = /\r\n|\n|\r/;

/** By its type alone: whether it really ends the turn, the turn knows. */
function isLast({ type, quiet }: Frame): boolean {
  return !quiet && type !== undefined && last.has(type);
}

const last: ReadonlySet<string> = new Set([
  'error',
  'response.cancelled',
  'response.completed',
  'response.done',
  'response.failed',
  'response.incomplete',
]);
