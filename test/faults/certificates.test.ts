// A9: one verdict on a certificate for both transports, and no way around it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@turnwire/client';
import { serve } from './model/serve.js';
import { Service } from './model/service.js';
import { read } from './scenario.js';
import { selfSigned } from './server/certificate.js';
import { FaultServer } from './server/server.js';

const trusted = selfSigned();
for (const [name, certificate, ca, good] of [
  ['a certificate that is trusted', trusted, trusted.cert, true],
  ['a certificate that nobody trusts', trusted, undefined, false],
  ...(['expired', 'elsewhere.test'] as const).map((kind) => {
    const wrong = selfSigned(kind === 'expired' ? { expired: true } : { host: kind });
    return [`a certificate that is ${kind}`, wrong, wrong.cert, false] as const;
  }),
] as const) {
  for (const transport of ['websocket', 'sse'] as const) {
    test(`A9: ${transport}, ${name}: ${good ? 'taken' : 'refused, once'}`, { timeout: 10_000 }, async () => {
      const server = await FaultServer.start(serve({ service: new Service() }), certificate);
      const client = createClient({ apiKey: 'sk-test', baseUrl: server.url, transport, network: { ca } });
      try {
        const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(error === undefined, good, error?.message);
        if (!good) assert.equal(server.connections, 1);
      } finally {
        client.destroy();
        await server.close();
      }
    });
  }
}
