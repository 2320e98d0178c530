// RFC 6455, the client's side: the cases of conformance-cases.ts, read in whatever pieces they come.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageReader } from '../../dist/websocket/message-reader.js';
import { WebSocketProtocolError } from '../../dist/websocket/protocol-error.js';
import { conformanceCases, encodeServerFrame, maxBytes } from './conformance-cases.js';
import { cut } from './messages.js';
import type { Expected } from './conformance-cases.js';

function read(pieces: Iterable<Uint8Array>): Expected[] {
  const heard: (Expected | ['message', string])[] = [];
  const reader = new MessageReader(
    {
      message: (text) => heard.push(['message', text]),
      ping: (payload) => heard.push(['ping', Buffer.from(payload)]),
      pong: (payload) => heard.push(['pong', Buffer.from(payload)]),
      close: (code, reason) => heard.push(['close', code, reason]),
    },
    { maxBytes, maxFragments: 2000 },
  );
  try {
    for (const piece of pieces) reader.push(Buffer.from(piece));
  } catch (error) {
    if (!(error instanceof WebSocketProtocolError)) throw error;
    heard.push(['failed', error.closeCode]);
  }
  return heard;
}

describe('message reader: conformance with RFC 6455', () => {
  for (const { id, name, frames, expected, deviation } of conformanceCases) {
    test(`${id}: ${name}${deviation === undefined ? '' : ` (deviates: ${deviation})`}`, () => {
      const encoded = frames.map(encodeServerFrame);
      const bytes = Buffer.concat(encoded);
      assert.deepEqual(read([bytes]), expected, 'in one piece');
      assert.deepEqual(read(encoded), expected, 'frame by frame');
      const size = bytes.length > 100_000 ? 997 : 1;
      assert.deepEqual(
        read(cut(bytes, Array(Math.ceil(bytes.length / size)).fill(size))),
        expected,
        `in pieces of ${size}`,
      );
    });
  }
});
