import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createClient } from '@turnwire/client';
import { clientOptions, withoutSecrets } from '../../../dist/config/models/client-options.js';
import { loadConfig } from '../../../dist/config/config.js';
import { environmentSecrets } from '../../../dist/config/secrets/sources/environment.js';
import { startEmulator } from '@turnwire/emulator';
import { agentFile } from '../scratch.js';

const modelOf = async (t: TestContext, yaml: string) => (await loadConfig(await agentFile(t, yaml))).root.model;

describe('secrets of a model', () => {
  test('the key is asked for at each dial, so that a rotated one is used', async (t) => {
    const env: Record<string, string> = { OPENAI_API_KEY: 'first' };
    const model = await modelOf(t, 'agents: { root: { model: openai/x } }');
    const { apiKey } = clientOptions(model, environmentSecrets(env));
    assert.ok(typeof apiKey === 'function');
    assert.equal(await apiKey(), 'first');
    env['OPENAI_API_KEY'] = 'second';
    assert.equal(await apiKey(), 'second');
    delete env['OPENAI_API_KEY'];
    await assert.rejects(async () => apiKey(), /OPENAI_API_KEY is not set/);
  });

  test('another host without token_key is given no key at all (W8)', async (t) => {
    const model = await modelOf(
      t,
      'models: { m: { provider: mine, model: x, base_url: "http://localhost:1/v1" } }\nagents: { root: { model: m } }',
    );
    const options = clientOptions(model, environmentSecrets({ OPENAI_API_KEY: 'k' }));
    assert.deepEqual(options, {
      apiKey: undefined,
      baseUrl: 'http://localhost:1/v1',
      timeouts: { firstEventMs: undefined, idleMs: undefined },
      transport: 'auto',
    });
  });

  for (const transport of ['websocket', 'sse'] as const) {
    test(`key and headers come from one source, and arrive over ${transport} (W9)`, async (t) => {
      const emulator = await startEmulator();
      t.after(() => emulator.close());
      const model = await modelOf(
        t,
        `models:
  m:
    provider: mine
    model: x
    base_url: ${emulator.url}
    token_key: MY_KEY
    provider_opts: { transport: ${transport}, http_headers: { X-Team: "team \${env.TEAM}", X-Plain: a } }
agents: { root: { model: m } }`,
      );
      const env: Record<string, string> = { MY_KEY: 'key-one', TEAM: 'core' };
      const options = clientOptions(model, environmentSecrets(env));
      assert.ok(typeof options.apiKey === 'function' && typeof options.headers === 'function');
      const client = createClient({ ...options, onWarning: false });
      t.after(() => client.destroy());
      await client.turn({ model: 'x', input: 'Hello.' }).response();
      const seen = emulator.journal.connections()[0]?.headers;
      assert.equal(seen?.['x-team'], 'team core');
      // The journal keeps no credentials, but says that there were some.
      assert.equal(seen?.['authorization'], '[redacted]');
      assert.equal(await options.apiKey(), 'key-one');
      assert.deepEqual(await options.headers(), { 'X-Team': 'team core', 'X-Plain': 'a' });
      env['TEAM'] = 'other';
      assert.deepEqual(await options.headers(), { 'X-Team': 'team other', 'X-Plain': 'a' });
    });
  }

  test('a missing secret of a header is reported before anything runs', async (t) => {
    const path = await agentFile(
      t,
      'models: { m: { provider: openai, model: x, provider_opts: { http_headers: { X-A: "${env.TEAM}" } } } }\nagents: { root: { model: m } }',
    );
    await assert.rejects(
      loadConfig(path, { secrets: environmentSecrets({ OPENAI_API_KEY: 'k' }) }),
      /:1:26: TEAM is not set/,
    );
  });

  test('only secrets that the agents use are looked up, each name once, all at the same time', async (t) => {
    const path = await agentFile(
      t,
      `models:
  used: { provider: openai, model: x }
  unused: { provider: xai, model: y }
agents:
  root: { model: used, fallback: { models: [vercel/openai/x, used] }, sub_agents: [other] }
  other:
    model: openai/z
    toolsets: [{ type: mcp, command: x, env: { T: "\${env.GITHUB_TOKEN}", U: "\${GITHUB_TOKEN}" } }]
`,
    );
    await assert.rejects(loadConfig(path, { secrets: environmentSecrets({}) }), (error: Error) => {
      const names = [...error.message.matchAll(/: (\w+) is not set/g)].map(([, name]) => name);
      assert.deepEqual(names, ['OPENAI_API_KEY', 'AI_GATEWAY_API_KEY', 'GITHUB_TOKEN']);
      return true;
    });
  });

  describe('variables of commands: no secret is among them', () => {});
  const env = {
    OPENAI_API_KEY: 'built-in',
    AZURE_API_KEY: 'a',
    AZURE_OPENAI_API_KEY: 'b',
    XAI_API_KEY: 'built-in',
    TEAM: 'in a header',
    UNUSED: 'of a model that no agent uses',
    HOUSE: 'of a provider that no model uses',
    CHOSEN: 'of the model that --model leaves out',
    TOKEN: 'of a server that no agent uses',
    FIRST: 'one of a choice',
    SECOND: 'the other',
    NAMED: 'by a variable that has its name',
    WHICH: 'NAMED',
    HOME: '/home/me',
    OTHER: 'not named',
  };
  const text = `providers: { house: { base_url: "https://house.example/v1", token_key: HOUSE } }
models:
  m: { provider: mine, model: x, base_url: "https://me.example/v1", token_key: CHOSEN, provider_opts: { http_headers: { X-A: "\${env.TEAM}" } } }
  named: { provider: mine, model: z, base_url: "https://me.example/v1", token_key: "\${env.WHICH}" }
  unused: { provider: mine, model: y, base_url: "https://me.example/v1", token_key: UNUSED }
mcps: { near: { command: x, env: { T: "\${env.FIRST || env.SECOND}" } }, far: { remote: { url: "https://mcp.example/", headers: { Authorization: "Bearer \${TOKEN}" } } } }
agents: { root: { model: m, toolsets: [{ type: shell, env: { CACHE: "\${env.HOME}/cache" } }] } }
`;
  for (const model of [undefined, 'unused', 'emulator/any']) {
    test(`model ${model ?? 'of the file'}`, async (t) => {
      const variables = environmentSecrets(env);
      const config = await loadConfig(await agentFile(t, text), { model, variables });
      assert.deepEqual(withoutSecrets(env, config), { HOME: '/home/me', OTHER: 'not named', WHICH: 'NAMED' });
    });
  }
});
