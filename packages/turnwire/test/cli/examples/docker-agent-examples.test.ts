import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClient } from '@turnwire/client';
import { startEmulator } from '@turnwire/emulator';
import { parse, stringify } from 'yaml';
import { createSession } from '../../../dist/agent/session.js';
import { openAgents } from '../../../dist/cli/run/open-agents.js';
import { loadConfig } from '../../../dist/config/config.js';
import { secretChain } from '../../../dist/config/secrets/chain.js';

type Mapping = Record<string, unknown>;
type Json = Readonly<Record<string, unknown>>;

/** The example files of docker-agent are not a part of this repository: they are looked for beside it. */
function examplesAbove(folder: string): string | undefined {
  const here = join(folder, 'shared/docker-agent-examples/examples');
  if (existsSync(here)) return here;
  return dirname(folder) === folder ? undefined : examplesAbove(dirname(folder));
}
const examples = examplesAbove(fileURLToPath(new URL('../../../../..', import.meta.url)));
const skip =
  process.platform === 'win32'
    ? 'POSIX shell'
    : examples === undefined
      ? 'there is no folder shared/docker-agent-examples here'
      : false;

/** The files that are refused, and for what: toolsets and keys that docs/agents.md has as refused. */
const refused: Readonly<Record<string, RegExp>> = {
  'api-tool.yaml': /"api" is a docker-agent toolset/,
  'coding_harness_background_agents.yaml': /"harness" is a docker-agent key/,
  'mcp_catalog.yaml': /"mcp_catalog" is a docker-agent toolset/,
  'pokemon.yaml': /"openapi" is a docker-agent toolset/,
  'rag/bm25.yaml': /"rag" is a docker-agent toolset/,
  'rag/custom_provider.yaml': /"rag" is a docker-agent toolset/,
  'rag/reranking.yaml': /"rag" is a docker-agent toolset/,
  'rag/semantic_embeddings.yaml': /"rag" is a docker-agent toolset/,
  'sub-agents-from-catalog.yaml': /agents from elsewhere \("agentcatalog\/pirate"\) are not fetched/,
  'tic-tac-toe.yaml': /"a2a" is a docker-agent toolset/,
};

/** Keys that belong to the model of another maker. */
const ofMakers = ['base_url', 'token_key', 'frequency_penalty', 'presence_penalty', 'provider_opts', 'thinking_budget'];

const asMapping = (value: unknown): Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
const entries = (value: unknown): [string, Mapping][] =>
  Object.entries(asMapping(value)).map(([key, inner]) => [key, asMapping(inner)]);

/** Puts the emulator in place of each model, and a server of the test in place of each MCP server; all else stays. */
function rewritten(text: string, mcpUrl: string): string {
  const file = asMapping(parse(text, { merge: true }));
  const models = new Set(entries(file['models']).map(([name]) => name));
  const renamed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(renamed);
    if (typeof value !== 'string' || models.has(value)) return value;
    const each = (name: string): string =>
      models.has(name) || !name.includes('/') ? name : `emulator/${name.split('/').slice(1).join('/')}`;
    return value
      .split(',')
      .map((name) => each(name.trim()))
      .join(',');
  };
  const rename = (at: Mapping, ...keys: readonly string[]): void => {
    for (const key of keys) if (at[key] !== undefined) at[key] = renamed(at[key]);
  };
  for (const [, model] of entries(file['models'])) {
    rename(model, 'first_available', 'compaction_model', 'title_model');
    for (const key of ofMakers) delete model[key];
    if (model['model'] !== undefined) model['provider'] = 'emulator';
  }
  delete file['providers'];
  const toolsets = (at: Mapping): Mapping[] => (Array.isArray(at['toolsets']) ? at['toolsets'].map(asMapping) : []);
  const shared = entries(file['toolsets']).map(([, toolset]) => toolset);
  const servers = entries(file['mcps']).map(([, server]) => server);
  for (const [, agent] of entries(file['agents'])) {
    rename(agent, 'model', 'compaction_model');
    rename(asMapping(agent['fallback']), 'models');
    for (const toolset of [...toolsets(agent), ...shared]) {
      rename(toolset, 'model', 'models');
      const isShared = typeof toolset['ref'] === 'string' && !toolset['ref'].includes(':');
      if (toolset['type'] === 'mcp' && !isShared) servers.push(toolset);
    }
  }
  for (const server of servers) {
    for (const key of ['ref', 'command', 'args', 'env', 'config', 'version', 'working_dir', 'remote'])
      delete server[key];
    const tools = (server['tools'] ?? ['look_up']) as readonly string[];
    server['remote'] = { url: `${mcpUrl}/?tools=${tools.join(',')}`, transport_type: 'streamable' };
  }
  return stringify(file);
}

/** An MCP server that has the tools which its address names. */
function mcpServer(): Server {
  return createServer((request, response) => {
    void (async () => {
      if (request.method !== 'POST') return response.writeHead(405).end();
      const { id, method, params } = (await json(request)) as { id?: number; method: string; params?: Json };
      if (id === undefined) return response.writeHead(202).end();
      const names = new URL(request.url ?? '/', 'http://any').searchParams.get('tools')?.split(',') ?? [];
      const inputSchema = { type: 'object', properties: { query: { type: 'string' } } };
      const results: Readonly<Record<string, unknown>> = {
        initialize: {
          protocolVersion: params?.['protocolVersion'],
          capabilities: { tools: {} },
          serverInfo: { name: 'test', version: '1' },
        },
        'tools/list': { tools: names.map((name) => ({ name, description: 'Looks up.', inputSchema })) },
        'tools/call': { content: [{ type: 'text', text: 'found' }] },
      };
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} }));
    })();
  });
}

/** Values by the names of arguments, where not any text will do: nothing that they lead to leaves the machine. */
const harmless: Readonly<Record<string, unknown>> = {
  path: 'notes.md',
  paths: ['notes.md'],
  cmd: 'true',
  urls: ['http://127.0.0.1:9/'],
  timezone: 'UTC',
};

/** Arguments that fit a JSON Schema: what it requires, and nothing more. */
function argumentsFor(schema: Json, name = ''): unknown {
  const { type, properties = {}, required = [], items = {}, minimum } = schema;
  if (name in harmless) return harmless[name];
  const [first] = (schema['enum'] ?? []) as readonly unknown[];
  if (first !== undefined) return first;
  switch (Array.isArray(type) ? (type as unknown[])[0] : type) {
    case 'object':
      return Object.fromEntries(
        (required as readonly string[]).map((key) => [
          key,
          argumentsFor((properties as Record<string, Json>)[key] ?? {}, key),
        ]),
      );
    case 'array':
      return [argumentsFor(items as Json)];
    case 'integer':
    case 'number':
      return minimum ?? 1;
    case 'boolean':
      return false;
    default:
      return 'x';
  }
}

describe('the example files of docker-agent, with the emulator for their models', { skip }, () => {
  const names = (examples === undefined ? [] : readdirSync(examples, { recursive: true }))
    .map(String)
    .filter((name) => name.endsWith('.yaml'))
    .sort();
  const server = mcpServer();
  let mcpUrl = '';
  before(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    mcpUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  test('every example listed as refused exists', () => {
    assert.deepEqual(
      Object.keys(refused).filter((name) => !names.includes(name)),
      [],
    );
  });

  for (const name of names) {
    test(`${name}: ${name in refused ? 'is refused by name' : 'each tool of its agents answers'}`, async (t) => {
      // Commands of the examples write paths without quotes: no blank in this one.
      const folder = await realpath(await mkdtemp(join(tmpdir(), 'examples-')));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const text = (await readFile(join(examples ?? '', name), 'utf8')).replaceAll('/tmp/', `${folder}/`);
      const file = join(folder, 'agent.yaml');
      await writeFile(file, rewritten(text, mcpUrl));
      await writeFile(join(folder, 'notes.md'), 'x\n');
      // Programs that would reach others, or open a window.
      await mkdir(join(folder, 'bin'));
      for (const program of ['xdg-open', 'open', 'curl', 'docker', 'gh', 'npm', 'go', 'gofmt']) {
        await writeFile(join(folder, 'bin', program), '#!/bin/sh\nexit 0\n');
        await chmod(join(folder, 'bin', program), 0o700);
      }
      const variables = [...text.matchAll(/\$\{?(?:env\.)?([A-Z][A-Z0-9_]+)/g)].map(([, variable]) => variable);
      const env = {
        ...Object.fromEntries(variables.map((variable) => [variable, 'any'])),
        OPENAI_API_KEY: 'any',
        PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
        HOME: folder,
      };
      const reading = loadConfig(file, { secrets: secretChain({ env, mounted: folder, platform: 'linux' }) });
      if (refused[name] !== undefined) return assert.rejects(reading, refused[name]);
      await answers(await reading, { folder, env });
      return undefined;
    });
  }

  /** Has the model of each agent call each of its tools once. */
  async function answers(
    config: Awaited<ReturnType<typeof loadConfig>>,
    { folder, env }: { folder: string; env: Readonly<Record<string, string>> },
  ): Promise<void> {
    const home = join(folder, 'home');
    const agents = await openAgents({
      config,
      secrets: secretChain({ env, mounted: folder, platform: 'linux' }),
      directory: folder,
      env,
      askUser: undefined,
      home,
      script: undefined,
      warn: () => {},
      signal: new AbortController().signal,
    });
    try {
      for (const member of agents.members.values()) {
        const begin = (client: Parameters<typeof createSession>[0]['client']) =>
          createSession({
            ...member,
            client,
            team: agents.members,
            approval: 'yolo',
            hooksIn: { directory: folder, env, home },
          });
        const { tools } = begin({ turn: () => assert.fail('nothing is said') });
        const calls = tools.map((tool) => ({ name: tool.name, arguments: argumentsFor(tool.parameters) as Json }));
        const finish = { match: {}, reply: { text: 'Done.' } };
        const rules = calls.length === 0 ? [finish] : [{ match: { input: 'Go.' }, reply: { calls } }, finish];
        const emulator = await startEmulator({ script: { rules } });
        const client = createClient({ baseUrl: emulator.url, transport: 'sse' });
        const session = begin(client);
        try {
          const answered = new Map<string, string>();
          const run = session.run('Go.');
          for await (const event of run) {
            if (event.type === 'tool_call_response') answered.set(event.tool_call.name, event.response);
            if (event.type === 'error') assert.fail(`${member.agent.name}: ${event.message}`);
          }
          assert.deepEqual(
            tools.map((tool) => tool.name).filter((tool) => !answered.has(tool)),
            [],
            `${member.agent.name}: these have no answer`,
          );
          for (const [tool, response] of answered) assert.doesNotMatch(response, /there is no tool/, tool);
        } finally {
          await session.close();
          client.destroy();
          await emulator.close();
        }
      }
    } finally {
      await agents.close();
    }
  }
});
