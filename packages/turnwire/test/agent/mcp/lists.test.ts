import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { functionNames } from '../../../dist/agent/tools/mcp/tools/tool-names.js';
import { type Tools, toolsOf } from '../tools/tools.js';
import { answerCommon, type Exchange, json, rawServer, tool } from './servers/raw-server.js';

/** A server that answers each request for its tools by `page`. */
async function listed(
  t: TestContext,
  page: (cursor: string | undefined, count: number, exchange: Exchange) => object | undefined,
  { tools: wanted, opening }: { tools?: string[]; opening?: AbortSignal } = {},
): Promise<Tools & { warnings: string[]; methods: string[] }> {
  const warnings: string[] = [];
  let count = 0;
  const server = await rawServer(t, (exchange) => {
    const { message, response } = exchange;
    if (message.method !== 'tools/list') {
      answerCommon(exchange);
      return;
    }
    const answer = page(message.params?.cursor, (count += 1), exchange);
    if (answer !== undefined) json(response, JSON.stringify({ jsonrpc: '2.0', id: message.id, ...answer }));
  });
  const remote = { url: server.url, transport_type: 'streamable' as const };
  const settings = { type: 'mcp' as const, name: 's', remote, ...(wanted && { tools: wanted }) };
  const tools = await toolsOf(t, [settings], { warn: (message) => warnings.push(message), opening });
  return { ...tools, warnings, methods: server.methods() };
}

const names = ({ box }: Tools): string[] => box.tools.map(({ name }) => name);

describe('list of tools', () => {
  test('pages are read to the last one, which has a null cursor, an empty one or none', async (t) => {
    for (const nextCursor of [null, '', undefined]) {
      const tools = await listed(t, (cursor) =>
        cursor === undefined
          ? { result: { tools: [tool('a')], nextCursor: '2' } }
          : { result: { tools: [tool('b')], nextCursor } },
      );
      assert.deepEqual(names(tools), ['s_a', 's_b']);
      assert.deepEqual(tools.warnings, []);
    }
  });

  test('a repeated cursor ends the list, with a warning', async (t) => {
    const next: Record<string, string> = { '': '2', '2': '3', '3': '2' };
    const tools = await listed(t, (cursor = '') => ({
      result: { tools: [tool(`t${cursor}`)], nextCursor: next[cursor] },
    }));
    assert.deepEqual(names(tools), ['s_t', 's_t2', 's_t3']);
    assert.match(tools.warnings.join(), /^the MCP server s: its list of tools begins anew and does not end/);
  });

  test('pages without an end are read up to a hundred, with a warning', async (t) => {
    const tools = await listed(t, (_, count) => ({
      result: { tools: [tool(`t${count}`)], nextCursor: `${count + 1}` },
    }));
    assert.equal(tools.box.tools.length, 100);
    assert.match(tools.warnings.join(), /does not end; the first 100 pages are taken/);
  });

  test('a later page that fails costs its tools, with a warning', async (t) => {
    const tools = await listed(t, (cursor) =>
      cursor === undefined
        ? { result: { tools: [tool('a')], nextCursor: '2' } }
        : { error: { code: -32603, message: 'no more memory' } },
    );
    assert.deepEqual(names(tools), ['s_a']);
    assert.match(tools.warnings.join(), /a page of its list of tools is missing: no more memory/);
  });

  test('a first page that fails costs the server, with a warning', async (t) => {
    const tools = await listed(t, () => ({ error: { code: -32603, message: 'no more memory' } }), { tools: ['a'] });
    assert.deepEqual(names(tools), []);
    const why = 'the MCP server s does not say what tools it has: no more memory; the run goes on without its tools';
    assert.deepEqual(tools.warnings, [why]);
  });

  test('a result that is no list gives no tools, and a warning', async (t) => {
    const tools = await listed(t, () => ({ result: { tools: { a: 1 } } }));
    assert.deepEqual(names(tools), []);
    assert.match(tools.warnings.join(), /what it gives as its tools is no list: \{"a":1\}/);
  });

  test('a list that is interrupted is cancelled at the server once', { timeout: 20_000 }, async (t) => {
    const controller = new AbortController();
    const cancelled: unknown[] = [];
    const server = await rawServer(t, (exchange) => {
      if (exchange.message.method === 'notifications/cancelled') cancelled.push(exchange.message.params?.requestId);
      if (exchange.message.method === 'tools/list') return controller.abort(new Error('stopped'));
      answerCommon(exchange);
    });
    const remote = { url: server.url, transport_type: 'streamable' as const };
    await assert.rejects(toolsOf(t, [{ type: 'mcp', remote }], { opening: controller.signal }), /stopped/);
    const list = server.seen.find(({ message }) => message.method === 'tools/list');
    assert.deepEqual(cancelled, [list?.message.id]);
  });

  test('tools of a server that declares none are looked for, and may be missing', async (t) => {
    const server = await rawServer(t, (exchange) => {
      const { message, response } = exchange;
      const answer = (given: object): void =>
        json(response, JSON.stringify({ jsonrpc: '2.0', id: message.id, ...given }));
      if (message.method === 'initialize')
        answer({ result: { protocolVersion: null, capabilities: null, serverInfo: null } });
      else if (message.method === 'tools/list') answer({ error: { code: -32601, message: 'no such method' } });
      else answerCommon(exchange);
    });
    const tools = await toolsOf(t, [{ type: 'mcp', remote: { url: server.url, transport_type: 'streamable' } }]);
    assert.deepEqual(tools.box.tools, []);
  });

  test('a named tool with an unusable schema is left out, and the others stay', async (t) => {
    const page = { result: { tools: [tool('good'), tool('bad', { inputSchema: 7 })] } };
    const tools = await listed(t, () => page, { tools: ['good', 'bad'] });
    assert.deepEqual(names(tools), ['s_good']);
    assert.match(tools.warnings.join(), /its tool bad is left out/);
  });
});

describe('names of functions', () => {
  const long = 'a'.repeat(80);
  const fit = /^[A-Za-z0-9_-]{1,64}$/;

  test('a valid name stays, other names lose their invalid characters', () => {
    assert.deepEqual(functionNames(['list_issues', 'calendar.list', 'größe', long]), [
      'list_issues',
      'calendar_list',
      'gr__e',
      'a'.repeat(64),
    ]);
  });

  test('names that would become the same are distinct, and the same in every order', () => {
    const given = ['a.b', 'a_b', 'a b', 'c.d', 'c/d', `${long}1`, `${long}2`, '日本', '中国'];
    const made = functionNames(given);
    assert.equal(new Set(made).size, given.length);
    assert.ok(
      made.every((name) => fit.test(name)),
      made.join(),
    );
    assert.equal(made[1], 'a_b');
    const byName = new Map(given.map((name, index) => [name, made[index]]));
    const reversed = given.toReversed();
    assert.deepEqual(
      functionNames(reversed),
      reversed.map((name) => byName.get(name)),
    );
  });

  test('a name that looks like a generated one stays distinct', () => {
    const [, made = ''] = functionNames(['a_b', 'a.b']);
    const names = functionNames(['a_b', 'a.b', made]);
    assert.equal(new Set(names).size, 3);
    assert.equal(names[2], made);
  });
});
