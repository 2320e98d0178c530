import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { startGateway } from '@turnwire/gateway';
import { errorOf } from './setup.js';
import type { OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

describe('gateway: a success of the upstream that is no event stream', () => {
  for (const [status, headers] of [
    [204, {}],
    [205, { 'content-length': '0' }],
    [202, { 'content-length': '0' }],
    [200, { 'content-length': '0', 'content-type': 'application/json' }],
  ] as const satisfies [number, OutgoingHttpHeaders][]) {
    test(`with ${status} is answered by an error after which no SDK calls again, and to a call without a stream as it is`, async (t) => {
      let posts = 0;
      const server = createServer((request, response) => {
        posts += 1;
        request.resume().once('end', () => response.writeHead(status, { ...headers, 'x-request-id': 'req_1' }).end());
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const gateway = await startGateway({
        config: { listen: { port: 0 }, upstream: { base_url: `http://127.0.0.1:${port}/v1`, transport: 'sse' } },
        onWarning: () => {},
      });
      t.after(() => {
        gateway.destroy();
        server.closeAllConnections();
        server.close();
      });
      const ask = (stream: boolean): Promise<Response> =>
        fetch(`${gateway.url}/responses`, { method: 'POST', body: JSON.stringify({ model: 'm', input: 'x', stream }) });
      const streamed = await ask(true);
      assert.deepEqual([streamed.status, streamed.headers.get('x-should-retry')], [400, 'false']);
      const { code, message } = await errorOf(streamed);
      assert.equal(code, 'turn_outcome_unknown');
      assert.match(String(message), /the turn may have run: http:\/\/127\.0\.0\.1:\d+ answered with .* instead of/);
      const plain = await ask(false);
      assert.deepEqual([plain.status, plain.headers.get('x-request-id'), await plain.text()], [status, 'req_1', '']);
      assert.equal(posts, 2);
    });
  }
});
