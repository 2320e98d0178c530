import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkConfig } from '../dist/server/settings/check.js';
import { parse } from 'yaml';
import type { ConfigInput } from '../dist/config/schema.js';

interface Compose {
  services: Record<string, { configs?: { source: string }[] }>;
  configs: Record<string, { content: string }>;
}

test('examples/cluster/compose.yaml: each gateway has a valid configuration and an address of its own', async () => {
  const text = readFileSync(new URL('../../../examples/cluster/compose.yaml', import.meta.url), 'utf8');
  const { services, configs } = parse(text, { merge: true }) as Compose;
  const addresses: (string | undefined)[] = [];
  for (const [name, { content }] of Object.entries(configs)) {
    assert(
      Object.values(services).some((service) => service.configs?.some(({ source }) => source === name)),
      name,
    );
    if (!name.startsWith('gateway')) continue;
    const config = await checkConfig({
      config: parse(content) as ConfigInput,
      secret: () => Promise.resolve('a secret of thirty-two characters'),
    });
    addresses.push(config.cluster?.address);
  }
  assert.deepEqual(
    addresses,
    [1, 2, 3].map((number) => `http://gateway-${number}:4000`),
  );
});
