import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { loadConfig } from '../../dist/config/config.js';
import { ConfigError } from '../../dist/config/file/problem.js';
import { requestFields } from '../../dist/config/models/request-fields.js';
import { agentFile } from './scratch.js';

async function modelOf(t: TestContext, definition: string, more = '') {
  const path = await agentFile(t, `${more}\nmodels: { m: ${definition} }\nagents: { root: { model: m } }\n`);
  return (await loadConfig(path)).root.model;
}

async function refusal(t: TestContext, definition: string, more = ''): Promise<string> {
  const error: unknown = await modelOf(t, definition, more).then(
    () => assert.fail('the model was accepted'),
    (reason: unknown) => reason,
  );
  assert(error instanceof ConfigError, String(error));
  return error.problems.map(({ position, message }) => `${position?.line}:${position?.column}: ${message}`).join('\n');
}

const house = `providers:
  house:
    base_url: https://llm.house.example/v1
    token_key: HOUSE_KEY
    temperature: 0.2
    max_tokens: 1000
    thinking_budget: low
    provider_opts: { service_tier: flex, transport: sse, http_headers: { X-Team: core } }`;

describe('models of an agent file', () => {
  test('a model takes the settings of its entry in "providers", except for its own', async (t) => {
    const model = await modelOf(
      t,
      '{ provider: house, model: x, max_tokens: 50, provider_opts: { transport: websocket } }',
      house,
    );
    assert.equal(model.baseUrl, 'https://llm.house.example/v1');
    assert.deepEqual(model.tokenKeys, ['HOUSE_KEY']);
    assert.deepEqual([model.temperature, model.maxTokens, model.effort], [0.2, 50, 'low']);
    assert.deepEqual([model.serviceTier, model.transport], ['flex', 'websocket']);
    assert.deepEqual(model.headers, { 'X-Team': 'core' });
  });

  test('an inline model may name one of "providers"', async (t) => {
    const path = await agentFile(t, `${house}\nagents: { root: { model: house/big } }\n`);
    const { model } = (await loadConfig(path)).root;
    assert.deepEqual([model.model, model.baseUrl], ['big', 'https://llm.house.example/v1']);
    assert.deepEqual(model.tokenKeys, ['HOUSE_KEY']);
  });

  test('neither the key nor the headers of a provider follow a model to another host (W8)', async (t) => {
    const model = await modelOf(t, '{ provider: house, model: x, base_url: "https://elsewhere.example/v1" }', house);
    assert.deepEqual([model.tokenKeys, model.headers], [[], {}]);
    const near = await modelOf(t, '{ provider: house, model: x, base_url: "https://llm.house.example/v2" }', house);
    assert.deepEqual(near.tokenKeys, ['HOUSE_KEY']);
    const named = '{ provider: house, model: x, base_url: "https://elsewhere.example/v1", token_key: OTHER_KEY }';
    assert.deepEqual((await modelOf(t, named, house)).tokenKeys, ['OTHER_KEY']);
  });

  test('an entry of "providers" with the name of a built-in one replaces it, and does not get its key', async (t) => {
    const more = 'providers: { openai: { base_url: "http://localhost:1/v1" } }';
    const model = await modelOf(t, '{ provider: openai, model: x }', more);
    assert.deepEqual([model.baseUrl, model.tokenKeys], ['http://localhost:1/v1', []]);
  });

  for (const [given, expected] of [
    ['https://me.openai.azure.com', 'https://me.openai.azure.com/openai/v1'],
    ['https://me.openai.azure.com/', 'https://me.openai.azure.com/openai/v1'],
    ['https://me.openai.azure.com/openai', 'https://me.openai.azure.com/openai/v1'],
    ['https://me.openai.azure.com/openai/v1', 'https://me.openai.azure.com/openai/v1'],
    ['https://me.services.ai.azure.com', 'https://me.services.ai.azure.com/openai/v1'],
  ] as const) {
    test(`Azure: ${given} is the resource, whose v1 API is used (P11, W11)`, async (t) => {
      const model = await modelOf(t, `{ provider: azure, model: gpt-5.4, base_url: "${given}" }`);
      assert.equal(model.baseUrl, expected);
      assert.deepEqual(model.tokenKeys, ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY']);
    });
  }

  test("Azure's key goes to Azure alone (W8)", async (t) => {
    for (const host of ['openai.azure.com.example', 'evil.example', 'notopenai.azure.com'])
      assert.deepEqual(
        (await modelOf(t, `{ provider: azure, model: x, base_url: "https://${host}" }`)).tokenKeys,
        [],
        host,
      );
  });

  test('api_version preview is sent to Azure', async (t) => {
    const model = await modelOf(
      t,
      '{ provider: azure, model: x, base_url: "https://me.openai.azure.com", provider_opts: { api_version: preview } }',
    );
    assert.equal(model.baseUrl, 'https://me.openai.azure.com/openai/v1?api-version=preview');
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['Azure without a resource', '{ provider: azure, model: x }', /2:26: Azure has an address for each resource/],
    [
      'a deployment of Azure',
      '{ provider: azure, model: x, base_url: "https://me.openai.azure.com/openai/deployments/x" }',
      /2:53: this is the address of a deployment/,
    ],
    [
      'a dated version of Azure',
      '{ provider: azure, model: x, base_url: "https://me.openai.azure.com", provider_opts: { api_version: 2024-12-01-preview } }',
      /2:114: "api_version" must be v1 or preview/,
    ],
    [
      'api_version elsewhere',
      '{ provider: openai, model: x, provider_opts: { api_version: v1 } }',
      /2:74: "api_version" is for the provider azure/,
    ],
    [
      'Chat Completions',
      '{ provider: openai, model: x, provider_opts: { api_type: openai_chatcompletions } }',
      /"api_type" must be openai_responses \(turnwire speaks no Chat Completions\)/,
    ],
    [
      'a budget in tokens',
      '{ provider: openai, model: x, thinking_budget: 8192 }',
      /2:61: "thinking_budget" must be none, minimal, .*not 8192$/,
    ],
    [
      'a misspelt effort',
      '{ provider: openai, model: x, thinking_budget: hihg }',
      /not "hihg"; did you mean "high"\?$/,
    ],
    [
      'an effort of other models',
      '{ provider: openai, model: x, thinking_budget: adaptive/low }',
      /"thinking_budget" must be/,
    ],
    [
      'a key of Chat Completions',
      '{ provider: openai, model: x, presence_penalty: 1 }',
      /the Responses API has no field for it/,
    ],
    [
      'a header with a line break',
      '{ provider: openai, model: x, provider_opts: { http_headers: { X-A: "a\\r\\nX-B: b" } } }',
      /"X-A" must be text in one line/,
    ],
    [
      'a header whose name is none',
      '{ provider: openai, model: x, provider_opts: { http_headers: { "X A": b } } }',
      /2:77: "X A" cannot be a name in a mapping from names of headers/,
    ],
    [
      'a reference that is not replaced',
      '{ provider: openai, model: x, provider_opts: { http_headers: { X-A: $TEAM } } }',
      /this is not replaced here; write \$\{env\.TEAM\}/,
    ],
    [
      'a price below nothing',
      '{ provider: openai, model: x, cost: { input: -1 } }',
      /"input" must be a price, 0 or more, not -1/,
    ],
    ['a sign-in', '{ provider: chatgpt, model: x }', /it needs a sign-in that turnwire does not have/],
  ];
  for (const [name, definition, expected] of refused) {
    test(`${name} is refused with its place and a sentence`, async (t) => {
      const said = await refusal(t, definition);
      assert.match(said, expected);
      assert.equal(said.split('\n').length, 1, said);
    });
  }

  test('a mistake of a provider is reported once, and not again for its models', async (t) => {
    const said = await refusal(t, '{ provider: house, model: x }', 'providers: { house: { base_url: nowhere } }');
    assert.equal(said.split('\n').length, 1, said);
    assert.match(said, /1:33: "base_url" must be an http/);
  });

  test('requests have the settings of the file as fields of the API, and no others', async (t) => {
    const path = await agentFile(
      t,
      `models:
  all:
    provider: openai
    model: gpt-5.4
    temperature: 0.5
    top_p: 0.9
    max_tokens: 100
    parallel_tool_calls: false
    thinking_budget: xhigh
    track_usage: false
    cost: { input: 1, output: 2 }
    provider_opts: { service_tier: priority, store: false, context_size: 4000 }
agents:
  root:
    model: all
    structured_output:
      name: answer
      strict: true
      schema: { type: object, properties: { a: { type: string } }, required: [a], additionalProperties: false }
  plain: { model: openai/x }
`,
    );
    const { root, agents } = await loadConfig(path);
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    };
    assert.deepEqual(requestFields(root), {
      model: 'gpt-5.4',
      temperature: 0.5,
      top_p: 0.9,
      max_output_tokens: 100,
      parallel_tool_calls: false,
      service_tier: 'priority',
      store: false,
      reasoning: { effort: 'xhigh', summary: 'detailed' },
      text: { format: { type: 'json_schema', name: 'answer', strict: true, schema } },
    });
    const plain = agents.get('plain');
    assert(plain);
    assert.deepEqual(requestFields(plain), { model: 'x' });
  });

  for (const off of ['none', '0']) {
    test(`thinking_budget ${off} is sent to the model, which may reason by default`, async (t) => {
      const model = await modelOf(t, `{ provider: openai, model: x, thinking_budget: ${off} }`);
      assert.deepEqual(requestFields({ model, structuredOutput: undefined }), {
        model: 'x',
        reasoning: { effort: 'none' },
      });
    });
  }
});
