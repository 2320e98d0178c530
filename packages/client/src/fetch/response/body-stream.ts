import type { ReadableStreamAsyncIterator, ReadableWritablePair, StreamPipeOptions } from 'node:stream/web';

/**
 * The body of a streaming response. It offers what a body of the ordinary fetch does, which is a byte stream, but becomes a byte stream only when
 * that is needed.
 *
 * A byte stream detaches the memory of each chunk from its producer. From the first detached chunk on, V8 checks at each access to any `Uint8Array`
 * of the process whether its memory is still there, and a search for the ends of lines, byte by byte, is most of what an SDK does with an event.
 *
 * Kept for its measured worth: on a byte stream the openai SDK takes 1.3 times the CPU for an event (rows `short` and `longer`, Node 24.21,
 * 2026-11-30).
 *
 * A reader with buffers of its own, and `tee()`, need a byte stream: each branch must not see what the other does to its chunks. From then on all
 * methods use that stream.
 */
export class BodyStream extends ReadableStream<Uint8Array> {
  #bytes: ReadableStream<Uint8Array> | undefined;

  override get locked(): boolean {
    return this.#bytes?.locked ?? super.locked;
  }

  override cancel(reason?: unknown): Promise<void> {
    return this.#bytes?.cancel(reason) ?? super.cancel(reason);
  }

  override getReader(options: { mode: 'byob' }): ReadableStreamBYOBReader;
  override getReader(): ReadableStreamDefaultReader<Uint8Array>;
  override getReader(options?: { mode: 'byob' }): ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader {
    if (options?.mode === 'byob') return this.#asBytes().getReader(options);
    // An unknown mode, which JavaScript may pass, is refused there.
    return this.#bytes?.getReader(options) ?? super.getReader(options as undefined);
  }

  override tee(): [ReadableStream<Uint8Array>, ReadableStream<Uint8Array>] {
    return this.#asBytes().tee();
  }

  override pipeTo(to: WritableStream<Uint8Array>, options?: StreamPipeOptions): Promise<void> {
    return this.#bytes?.pipeTo(to, options) ?? super.pipeTo(to, options);
  }

  override pipeThrough<T>(
    through: ReadableWritablePair<T, Uint8Array>,
    options?: StreamPipeOptions,
  ): ReadableStream<T> {
    return this.#bytes?.pipeThrough(through, options) ?? super.pipeThrough(through, options);
  }

  override values(options?: { preventCancel?: boolean }): ReadableStreamAsyncIterator<Uint8Array> {
    return this.#bytes?.values(options) ?? super.values(options);
  }

  override [Symbol.asyncIterator](): ReadableStreamAsyncIterator<Uint8Array> {
    return this.values();
  }

  /** A body that has become a byte stream stays one. */
  #asBytes(): ReadableStream<Uint8Array> {
    return (this.#bytes ??= byteStream(super.getReader()));
  }
}

function byteStream(reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        // A reader with a buffer of its own waits for it.
        controller.byobRequest?.respond(0);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
