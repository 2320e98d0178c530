import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../dist/config/config.js';
import { environmentSecrets } from '../../dist/config/secrets/sources/environment.js';
import { agentFile } from './scratch.js';

test('a minimal agent file is read', async (t) => {
  const path = await agentFile(
    t,
    `
version: "8"
metadata: { author: me, license: MIT }
models:
  fast:
    provider: openai
    model: gpt-5.4
    temperature: 0.5
    max_tokens: 4000
    provider_opts: { transport: WebSocket }
  local:
    provider: my-server
    model: llama/3
    base_url: http://127.0.0.1:8080/v1
agents:
  root:
    model: fast
    description: A test
    welcome_message: Hello
    instruction: |
      Be brief.
    toolsets:
      - type: filesystem
      - type: shell
`,
  );
  const config = await loadConfig(path, { secrets: environmentSecrets({ OPENAI_API_KEY: 'k' }) });
  const { root } = config;
  assert.equal(root.instruction, 'Be brief.\n');
  assert.deepEqual(
    root.toolsets.map(({ type }) => type),
    ['filesystem', 'shell'],
  );
  const { path: _place, ...model } = root.model;
  assert.deepEqual(model, {
    name: 'fast',
    provider: 'openai',
    model: 'gpt-5.4',
    baseUrl: undefined,
    tokenKeys: ['OPENAI_API_KEY'],
    headers: {},
    temperature: 0.5,
    topP: undefined,
    maxTokens: 4000,
    parallelToolCalls: undefined,
    effort: undefined,
    serviceTier: undefined,
    store: undefined,
    trackUsage: true,
    cost: undefined,
    takesImages: true,
    contextSize: undefined,
    timeouts: { firstEventMs: undefined, idleMs: undefined },
    compactionThreshold: undefined,
    taskBudget: undefined,
    links: { compaction: undefined, title: undefined, routes: [] },
    transport: 'websocket',
  });
  const local = config.models.get('local');
  assert.equal(local?.baseUrl, 'http://127.0.0.1:8080/v1');
  assert.equal(local?.transport, 'auto');
  assert.deepEqual(local?.tokenKeys, []);
});

test('an inline model takes the defaults of its provider; the model may hold slashes', async (t) => {
  const path = await agentFile(t, 'agents: { root: { model: xai/grok/4 } }');
  const { root } = await loadConfig(path);
  assert.equal(root.model.model, 'grok/4');
  assert.equal(root.model.baseUrl, 'https://api.x.ai/v1');
  assert.deepEqual(root.model.tokenKeys, ['XAI_API_KEY']);
  assert.equal(root.instruction, '');
  assert.deepEqual(root.toolsets, []);
});

test('the emulator needs neither key nor address', async (t) => {
  const path = await agentFile(t, 'agents: { root: { model: emulator/any } }');
  const { model } = (await loadConfig(path, { secrets: environmentSecrets({}) })).root;
  assert.deepEqual([model.provider, model.baseUrl, model.tokenKeys], ['emulator', undefined, []]);
});

test('the key of the environment is not sent to another host (N6, W8)', async (t) => {
  const at = async (baseUrl: string) => {
    const path = await agentFile(
      t,
      `models: { m: { provider: openai, model: x, base_url: "${baseUrl}" } }\nagents: { root: { model: m } }`,
    );
    return (await loadConfig(path)).root.model.tokenKeys.join();
  };
  assert.equal(await at('https://gateway.example/v1'), '');
  assert.equal(await at('https://api.openai.com.example/v1'), '');
  assert.equal(await at('http://api.openai.com/v1'), '');
  assert.equal(await at('https://api.openai.com:444/v1'), '');
  assert.equal(await at('https://api.openai.com/v1'), 'OPENAI_API_KEY');
});

test('anchors and merge keys are YAML, and are read', async (t) => {
  const path = await agentFile(
    t,
    `
models:
  base: &base { provider: openai, model: gpt-5.4, temperature: 1 }
  cold: { <<: *base, temperature: 0 }
agents: { root: { model: cold } }
`,
  );
  const { model } = (await loadConfig(path)).root;
  assert.deepEqual([model.model, model.temperature], ['gpt-5.4', 0]);
});
