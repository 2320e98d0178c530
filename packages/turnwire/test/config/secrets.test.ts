import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../dist/config/config.js';
import { clientOptions, environmentSecrets, withoutKey } from '../../dist/config/secrets.js';
import { agentFile } from './scratch.js';

test('the key is asked for at each dial, so that a rotated one is used', async (t) => {
  const path = await agentFile(t, 'agents: { root: { model: openai/x } }');
  const env: Record<string, string> = { OPENAI_API_KEY: 'first' };
  const { model } = (await loadConfig(path, { env })).agents.root;
  const { apiKey } = clientOptions(model, environmentSecrets(env));
  assert.ok(typeof apiKey === 'function');
  assert.equal(await apiKey(), 'first');
  env['OPENAI_API_KEY'] = 'second';
  assert.equal(await apiKey(), 'second');
  delete env['OPENAI_API_KEY'];
  await assert.rejects(async () => apiKey(), /OPENAI_API_KEY is not set/);
});

test('another host without token_key is given no key at all', async (t) => {
  const path = await agentFile(
    t,
    'models: { m: { provider: mine, model: x, base_url: "http://localhost:1/v1" } }\nagents: { root: { model: m } }',
  );
  const { model } = (await loadConfig(path)).agents.root;
  const options = clientOptions(model, environmentSecrets({ OPENAI_API_KEY: 'k' }));
  assert.deepEqual(options, { apiKey: undefined, baseUrl: 'http://localhost:1/v1', transport: 'auto' });
});

test('a name that every object has is no secret', async () => {
  assert.equal(await environmentSecrets({}).get('toString'), undefined);
});

test('commands do not see the key of the model', async (t) => {
  const path = await agentFile(t, 'agents: { root: { model: openai/x } }');
  const { model } = (await loadConfig(path)).agents.root;
  assert.deepEqual(withoutKey({ OPENAI_API_KEY: 'k', HOME: '/home/me' }, model), { HOME: '/home/me' });
});
