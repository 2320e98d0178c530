import { MessageReader } from '../../dist/websocket/message-reader.js';
import { WebSocketProtocolError } from '../../dist/websocket/protocol-error.js';

export type ReadMessage = ['message' | 'ping' | 'pong', string] | ['closing', number, string] | ['violation', string];

const roomy = { maxBytes: 1_000_000, maxFragments: 1000 };

/** What a reader makes of bytes that come in these pieces. */
export function readMessages(pieces: Iterable<Uint8Array>, limits: Partial<typeof roomy> = {}): ReadMessage[] {
  const heard: ReadMessage[] = [];
  const reader = new MessageReader(
    {
      message: (text, bytes) => {
        heard.push(['message', text]);
        if (bytes !== Buffer.byteLength(text)) throw new Error(`${bytes} bytes were counted`);
      },
      ping: (payload) => heard.push(['ping', payload.toString()]),
      pong: (payload) => heard.push(['pong', payload.toString()]),
      close: (code, reason) => heard.push(['closing', code, reason]),
    },
    { ...roomy, ...limits },
  );
  try {
    for (const piece of pieces) {
      const lent = Buffer.from(piece);
      reader.push(lent);
      // The next piece is read into the same memory.
      lent.fill(0xff);
    }
  } catch (error) {
    if (!(error instanceof WebSocketProtocolError)) throw error;
    heard.push(['violation', error.message]);
  }
  return heard;
}

/** `bytes` cut at these places, which count from the end of the last cut. */
export function* cut(bytes: Buffer, lengths: Iterable<number>): Generator<Buffer> {
  let at = 0;
  for (const length of lengths) {
    if (at >= bytes.length) return;
    yield bytes.subarray(at, at + length);
    at += length;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}
