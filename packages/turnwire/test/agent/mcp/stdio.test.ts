import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { scratch } from '../scratch.js';
import { type Tools, toolsOf, type Toolsets } from '../tools/tools.js';

const skip = process.platform === 'win32';

/** A server of one line of code: `m` is the message, `send` answers. */
function program(onMessage: string): string[] {
  return [
    '-e',
    `const send = (fields) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...fields }) + '\\n');
     require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
       const m = JSON.parse(line);
       if (m.method === 'initialize') send({ id: m.id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} } } });
       else if (m.method === 'tools/list') send({ id: m.id, result: { tools: [{ name: 't' }] } });
       else { ${onMessage} }
     });`,
  ];
}

function started(t: TestContext, args: readonly string[], command = process.execPath): Promise<Tools> {
  return toolsOf(t, [{ type: 'mcp', name: 's', command, args: [...args] }]);
}

describe('server that is started here', () => {
  const failures: readonly [name: string, command: string, args: string[], message: RegExp][] = [
    [
      'no such program',
      'no-such-program',
      [],
      /it cannot be started: spawn no-such-program ENOENT; there is no program no-such-program/,
    ],
    [
      'ends at once, with a reason',
      'sh',
      ['-c', 'echo the licence has expired >&2; exec 0<&-; exit 3'],
      /it ended with status 3 \(it said: the licence has expired\)$/,
    ],
    [
      'ends with advice',
      'sh',
      ['-c', "echo 'unknown command: docker mcp' >&2; echo 'Run docker --help' >&2; exit 125"],
      /status 125 \(it said: unknown command: docker mcp\)$/,
    ],
    ['ends at once, without one', 'sh', ['-c', 'exit 0'], /it ended with status 0$/],
    ['ends by a signal', 'sh', ['-c', 'kill -9 $$'], /it ended by the signal SIGKILL$/],
    [
      'throws',
      process.execPath,
      ['-e', 'throw new TypeError("no token")'],
      /it ended with status 1 \(it said: TypeError: no token\)$/,
    ],
    [
      'writes without end',
      process.execPath,
      ['-e', 'const x = "x".repeat(1 << 20); const go = () => process.stdout.write(x, go); go();'],
      /it wrote a line of more than 32 MiB$/,
    ],
  ];
  for (const [name, command, args, message] of failures) {
    test(`a server that cannot be used is refused with a sentence that says why: ${name}`, { skip }, async (t) => {
      await assert.rejects(started(t, args, command), { message });
    });
  }

  test('a program that is missing: the package that has it is named', async (t) => {
    await assert.rejects(toolsOf(t, [{ type: 'mcp', command: 'no-such-program', version: 'golang/tools@v0.21.0' }]), {
      message: /there is no program no-such-program \(install golang\/tools@v0\.21\.0\)/,
    });
  });

  test('two servers of the Docker catalog have different names for their tools in rules', { skip }, async (t) => {
    const [flag = '', code = ''] = program('');
    const catalog = (name: string, tool: string): Toolsets[number] => ({
      type: 'mcp',
      ref: `docker:${name}`,
      command: process.execPath,
      args: [flag, code.replace(`name: 't'`, `name: '${tool}'`)],
    });
    const { box } = await toolsOf(t, [catalog('duckduckgo', 'search'), catalog('context7', 'resolve')]);
    assert.deepEqual(
      box.tools.map(({ alias }) => alias),
      ['mcp:duckduckgo:search', 'mcp:context7:resolve'],
    );
  });

  test(
    'a server that dies in a call: the error has its status and last words, and says what that means for the call',
    { skip },
    async (t) => {
      const tools = await started(
        t,
        program(`if (m.method === 'tools/call') { console.error('out of memory'); process.exit(9); }`),
      );
      await assert.rejects(tools.call('s_t'), {
        message:
          'no result from the MCP server s: it ended with status 9 (it said: out of memory); the call may have had effects',
      });
    },
  );

  test('a server that has died between two calls is started again, and runs the call', { skip }, async (t) => {
    const tools = await started(
      t,
      program(
        `if (m.method === 'tools/call') { send({ id: m.id, result: { content: process.pid } }); setImmediate(() => process.exit()); }`,
      ),
    );
    const first = await tools.call('s_t');
    for (;;) {
      try {
        process.kill(Number(first), 0);
        await new Promise((resolve) => setImmediate(resolve));
      } catch {
        break;
      }
    }
    const second = await tools.call('s_t');
    assert.match(second, /^\d+$/);
    assert.notEqual(second, first);
  });

  test('a server that has closed its input did not run the call, and its successor does', { skip }, async (t) => {
    const mark = join(await scratch(t), 'mark');
    const answer = (id: number, result: object): string => `echo '${JSON.stringify({ jsonrpc: '2.0', id, result })}'`;
    const introduces = `read a; ${answer(1, { capabilities: { tools: {} } })}; read b; read c`;
    const first = `: >"${mark}"; exec 0<&-; ${answer(2, { tools: [{ name: 't' }] })}; sleep 1000`;
    const second = `${answer(2, { content: 'ran' })}; read d`;
    const code = `${introduces}; if [ -e "${mark}" ]; then ${second}; else ${first}; fi`;
    const tools = await started(t, ['-c', code], 'sh');
    assert.equal(await tools.call('s_t'), 'ran');
  });

  test('an error without an id settles the only open call', { skip }, async (t) => {
    const tools = await started(
      t,
      program(`if (m.method === 'tools/call') send({ id: null, error: { code: -32700, message: 'cannot parse' } });`),
    );
    await assert.rejects(tools.call('s_t'), { message: 'cannot parse' });
  });

  test('answers in another order reach their calls, and bring no warning', { skip }, async (t) => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    t.after(() => process.off('warning', onWarning));
    const tools = await started(
      t,
      program(`if (m.method === 'tools/call') {
        (globalThis.calls ??= []).unshift(m);
        if (calls.length === 40) for (const { id, params } of calls) send({ id, result: { content: String(params.arguments.n) } });
      }`),
    );
    const calls = Array.from({ length: 40 }, (_, n) => tools.call('s_t', { n }));
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 40 }, (_, n) => String(n)),
    );
    assert.deepEqual(warnings, []);
  });

  test('a protocol version that the server refuses is followed by an older one', { skip }, async (t) => {
    const versions = `send(m.params.protocolVersion === '2024-11-05'
      ? { id: m.id, result: { protocolVersion: '2024-11-05', capabilities: { tools: {} } } }
      : { id: m.id, error: { code: -32602, message: 'Unsupported protocol version' } });`;
    const [flag = '', code = ''] = program('');
    const tools = await started(t, [
      flag,
      code.replace(/send\(\{ id: m\.id, result: \{ protocolVersion[^;]*;/, versions),
    ]);
    assert.equal(tools.box.tools.length, 1);
  });
});
