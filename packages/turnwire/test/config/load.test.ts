import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../dist/config/config.js';
import { agentFile } from './scratch.js';

test('reads all that issue 2 serves', async (t) => {
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
  const config = await loadConfig(path, { env: { OPENAI_API_KEY: 'k' } });
  const { root } = config.agents;
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
    tokenKey: 'OPENAI_API_KEY',
    temperature: 0.5,
    maxTokens: 4000,
    transport: 'websocket',
  });
  const local = config.models.get('local');
  assert.equal(local?.baseUrl, 'http://127.0.0.1:8080/v1');
  assert.equal(local?.transport, 'auto');
  assert.equal(local?.tokenKey, undefined);
});

test('an inline model takes the defaults of its provider; the model may hold slashes', async (t) => {
  const path = await agentFile(t, 'agents: { root: { model: xai/grok/4 } }');
  const { root } = (await loadConfig(path)).agents;
  assert.equal(root.model.model, 'grok/4');
  assert.equal(root.model.baseUrl, 'https://api.x.ai/v1');
  assert.equal(root.model.tokenKey, 'XAI_API_KEY');
  assert.equal(root.instruction, '');
  assert.deepEqual(root.toolsets, []);
});

test('the emulator needs neither key nor address', async (t) => {
  const path = await agentFile(t, 'agents: { root: { model: emulator/any } }');
  const { model } = (await loadConfig(path, { env: {} })).agents.root;
  assert.deepEqual([model.provider, model.baseUrl, model.tokenKey], ['emulator', undefined, undefined]);
});

test('the key of the environment goes to no other host (W8)', async (t) => {
  const at = async (baseUrl: string) => {
    const path = await agentFile(
      t,
      `models: { m: { provider: openai, model: x, base_url: "${baseUrl}" } }\nagents: { root: { model: m } }`,
    );
    return (await loadConfig(path)).agents.root.model.tokenKey;
  };
  assert.equal(await at('https://gateway.example/v1'), undefined);
  assert.equal(await at('https://api.openai.com.example/v1'), undefined);
  assert.equal(await at('http://api.openai.com/v1'), undefined);
  assert.equal(await at('https://api.openai.com:444/v1'), undefined);
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
  const { model } = (await loadConfig(path)).agents.root;
  assert.deepEqual([model.model, model.temperature], ['gpt-5.4', 0]);
});
