import { BodyStream } from './body-stream.js';
import type { Frame } from '../../protocol/frame.js';
import type { EventReader } from '../../turn/buffer/event-buffer.js';

/**
 * As much as is handed over at once, if it has arrived already; in characters. What is longer is cut, so that the 200 KB at the end of a long answer
 * are one chunk neither here nor in the copies that SDKs make. Smaller ones gain nothing (docs/performance.md).
 */
const chunkSize = 64 * 1024;

export interface EventStreamOptions {
  signal: AbortSignal | undefined;
  /** Gives the error of the body for an error of the turn: a lost turn never ends the body cleanly (X19). */
  failed: (error: unknown) => unknown;
  /** The body was read to its end. */
  ended: () => void;
}

/**
 * The body of a streaming response: each frame as one event with its JSON untouched, and the end of the turn as the end of the stream, without `[DONE]` (P22,
 * P23). Chunks are made on demand, so that a slow consumer holds up the socket (I4).
 */
export function eventStream(
  firstFrames: readonly Frame[],
  frames: EventReader<Frame>,
  options: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const source = new SseSource(firstFrames, frames, options);
  const stream = new BodyStream(source, { highWaterMark: 0 });
  abandonedBodies.register(stream, frames);
  return stream;
}

class SseSource {
  readonly #frames: EventReader<Frame>;
  readonly #options: EventStreamOptions;
  /** Parts of events that were not enqueued yet. */
  readonly #pieces: string[] = [];
  /** The terminal event was taken from the turn. */
  #lastTaken = false;
  #awaitingFrame = false;
  #cancelled = false;

  constructor(firstFrames: readonly Frame[], frames: EventReader<Frame>, options: EventStreamOptions) {
    this.#frames = frames;
    this.#options = options;
    for (const frame of firstFrames) this.#addFrame(frame);
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    // Several reads may wait for one frame.
    if (this.#awaitingFrame) return;
    try {
      const { signal } = this.#options;
      // An abort drops buffered events, unless the terminal event was taken.
      if (signal?.aborted && !this.#lastTaken) throw signal.reason;
      this.#enqueue(controller);
    } catch (error) {
      this.#fail(controller, error);
    }
  }

  async cancel(): Promise<void> {
    this.#cancelled = true;
    // After the terminal event this ends the turn; before it, it aborts the turn.
    await this.#frames.return?.();
  }

  /** Enqueues the buffered events, one chunk at most; waits for the next frame if there are none. */
  #enqueue(controller: ReadableStreamDefaultController<Uint8Array>): void {
    let text = '';
    while (text.length < chunkSize) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        text += this.#cut(piece, chunkSize - text.length);
        continue;
      }
      const frame = this.#frames.poll();
      if (frame === undefined) break;
      this.#addFrame(frame);
    }
    if (text === '') return this.#requestFrame(controller);
    // Each chunk has memory of its own: its reader may transfer it, or write into it.
    controller.enqueue(encoder.encode(text));
  }

  /** The part of a piece that fits. The rest waits for the next chunk. */
  #cut(piece: string, room: number): string {
    if (piece.length <= room) return piece;
    // A text is never cut between the two halves of a character.
    const end = isSecondHalf.test(piece.charAt(room)) ? room + 1 : room;
    this.#pieces.unshift(piece.slice(end));
    return piece.slice(0, end);
  }

  #requestFrame(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#awaitingFrame = true;
    this.#frames.next().then(
      (next) => this.#onFrame(controller, next),
      (error: unknown) => this.#fail(controller, error),
    );
  }

  #onFrame(controller: ReadableStreamDefaultController<Uint8Array>, next: IteratorResult<Frame, undefined>): void {
    this.#awaitingFrame = false;
    // The stream was cancelled.
    if (this.#cancelled) return;
    try {
      if (next.done) return this.#end(controller);
      this.#addFrame(next.value);
      this.#enqueue(controller);
    } catch (error) {
      this.#fail(controller, error);
    }
  }

  #addFrame(frame: Frame): void {
    this.#lastTaken ||= isLast(frame);
    // A large event is cut into chunks, and not joined before.
    if (frame.size < chunkSize) this.#pieces.push(toEvent(frame));
    else this.#pieces.push(headOf(frame), dataOf(frame), '\n\n');
  }

  #end(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#options.ended();
    controller.close();
  }

  #fail(controller: ReadableStreamDefaultController<Uint8Array>, error: unknown): void {
    void this.#frames.return?.();
    controller.error(this.#options.failed(error));
  }
}

const encoder = new TextEncoder();

const isSecondHalf = /[\uDC00-\uDFFF]/;

/** Cancels a body that was garbage-collected, as an ordinary fetch does. */
const abandonedBodies = new FinalizationRegistry<EventReader<Frame>>((frames) => void frames.return?.());

/**
 * One event of `text/event-stream`.
 *
 * @param text of the event, where it is a part of the frame's: only the frame's is searched for lines, since a text that was just put together would
 * have to be copied for that.
 */
export function toEvent(frame: Pick<Frame, 'type' | 'text'>, text = frame.text): string {
  return `${headOf(frame)}${dataOf(frame, text)}\n\n`;
}

let lastType: string | undefined;
let lastHead = 'data: ';

function headOf({ type }: Pick<Frame, 'type'>): string {
  // Deltas come in runs.
  if (type === lastType) return lastHead;
  lastType = type;
  lastHead = type === undefined || hasLines(type) ? 'data: ' : `event: ${type}\ndata: `;
  return lastHead;
}

/** A line for each line of the JSON. */
function dataOf(frame: Pick<Frame, 'text'>, text = frame.text): string {
  return hasLines(frame.text) ? text.split(lineBreak).join('\ndata: ') : text;
}

/** Whether a text has line breaks, which almost none has. */
function hasLines(text: string): boolean {
  return text.includes('\n') || text.includes('\r');
}

const lineBreak = /\r\n|\n|\r/;

/** Whether a frame is terminal, by its type alone. */
function isLast({ traits }: Frame): boolean {
  return traits.terminal !== undefined;
}
