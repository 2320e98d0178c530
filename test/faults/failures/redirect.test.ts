// N2: a redirect is an answer, not an order: nothing goes where it points.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { read, scenario } from '../scenario.js';
import { FaultServer } from '../server/server.js';
import type { Peer } from '../server/peer.js';

describe('redirect', () => {
  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    for (const status of [301, 302, 303, 307, 308]) {
      let location = '';
      const redirect = (peer: Peer): void => peer.http(status, '', { location });
      scenario(
        `N2, ${transport}: a ${status} at the ${transport === 'sse' ? 'POST' : 'upgrade'} sends nothing to another place`,
        { upgrade: redirect, post: redirect },
        { transport, headers: { cookie: 'mine' } },
        async ({ client, server }) => {
          const recorder = await FaultServer.start();
          location = `${recorder.url}/other?secret=1`;
          const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
          assert.equal(error?.code, transport === 'sse' ? 'request_refused' : 'upgrade_refused');
          assert.equal(error.status, status);
          assert.equal(error.retryable, false);
          assert.ok(error.message.includes(`redirects to ${new URL(location).origin}, `), error.message);
          assert.ok(!error.message.includes('secret'), error.message);
          assert.deepEqual([server.upgrades + server.posts, recorder.peers.length], [1, 0]);
          await recorder.close();
        },
      );
    }
  }

  for (const status of [301, 302, 307, 308]) {
    let location = '';
    scenario(
      `N2: a ${status} at the POST of a fallback sends nothing to another place`,
      { upgrade: (peer) => peer.http(426), post: (peer) => peer.http(status, '', { location }) },
      {},
      async ({ client, server }) => {
        const recorder = await FaultServer.start();
        location = recorder.url;
        const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.deepEqual([error?.code, error?.status], ['request_refused', status]);
        assert.deepEqual([server.upgrades, server.posts, recorder.peers.length], [1, 1, 0]);
        await recorder.close();
      },
    );
  }
});
