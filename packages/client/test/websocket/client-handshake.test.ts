import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientHandshake } from '../../dist/websocket/client-handshake.js';

// The example of RFC 6455, 1.3.
const opening = new ClientHandshake(Buffer.from('the sample nonce'));
const answer = { upgrade: 'websocket', 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' };

describe('WebSocket handshake', () => {
  test('the handshake of RFC 6455', () => {
    assert.equal(opening.headers['sec-websocket-key'], 'dGhlIHNhbXBsZSBub25jZQ==');
    assert.equal(opening.headers['sec-websocket-version'], '13');
    assert.equal(opening.problemOf(answer), undefined);
    assert.equal(opening.problemOf({ ...answer, upgrade: 'WebSocket' }), undefined);
  });

  test('P5, P7: neither a subprotocol nor an extension is offered', () => {
    assert.deepEqual(
      Object.keys(opening.headers).filter((name) => /protocol|extensions/i.test(name)),
      [],
    );
  });

  test('another key each time', () => {
    assert.notEqual(
      new ClientHandshake().headers['sec-websocket-key'],
      new ClientHandshake().headers['sec-websocket-key'],
    );
  });

  const refused: Record<string, Record<string, string>> = {
    'another upgrade': { ...answer, upgrade: 'h2c' },
    'no upgrade': { 'sec-websocket-accept': answer['sec-websocket-accept'] },
    'no accept': { upgrade: 'websocket' },
    "another key's accept": { ...answer, 'sec-websocket-accept': 'ICX+Yqv66kxgM0FcWaLWlFLwTAI=' },
    'a subprotocol': { ...answer, 'sec-websocket-protocol': 'chat' },
    'an extension': { ...answer, 'sec-websocket-extensions': 'permessage-deflate' },
  };
  for (const [name, headers] of Object.entries(refused))
    test(`${name} opens nothing`, () => assert.equal(typeof opening.problemOf(headers), 'string'));
});
