// H4, N3: a socket says with which handshake it was dialled.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { endpointOf } from '../../dist/network/endpoint.js';
import { createNetwork } from '../../dist/network/network.js';
import { openWebSocket } from '../../dist/network/open-websocket.js';
import { systemClock } from '../../dist/base/clock.js';
import type { AddressInfo } from 'node:net';

describe('client WebSocket', () => {
  test('H4, N3: the identity of a socket is that of its own headers, not of the latest', async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    let key = 'one';
    const network = createNetwork(
      endpointOf(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, 'baseUrl'),
      () => Promise.resolve({ authorization: `Bearer ${key}` }),
    );
    const listener = { message: () => {}, pinged: () => {}, ponged: () => {}, closed: () => {} };
    const dial = () =>
      openWebSocket(network, listener, { dialMs: 5000, clock: systemClock, signal: new AbortController().signal });
    const first = await dial();
    const same = await dial();
    key = 'two';
    const other = await dial();
    assert.equal(first.identity, network.identityOf({ authorization: 'Bearer one' }));
    assert.equal(same.identity, first.identity);
    assert.equal(other.identity, network.identityOf({ authorization: 'Bearer two' }));
    assert.notEqual(other.identity, first.identity);
    for (const socket of [first, same, other]) socket.terminate();
    network.destroy();
    server.close();
    http.close();
    await once(http, 'close');
  });
});
