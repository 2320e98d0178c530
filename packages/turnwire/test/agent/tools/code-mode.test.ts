import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession, type SessionOptions } from '../../../dist/agent/session.js';
import { runScript } from '../../../dist/agent/tools/code/run-script.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import { hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { permissionsSchema } from '../../../dist/config/schema/agents/permissions.js';
import { agent } from '../agent.js';
import { call, say, scriptedClient } from '../scripted-client.js';

/** What a script in an agent's first turn comes to. */
async function scripted(script: string, options: Partial<SessionOptions> = {}) {
  const ran: unknown[] = [];
  const stat = defineTool({
    name: 'stat',
    description: 'Tells of a file.',
    readOnly: true,
    input: z.object({ path: z.string(), deep: z.boolean().optional() }),
    run: (args) => {
      ran.push(args);
      if (args.path === 'missing') throw new Error('no such file');
      return Promise.resolve(JSON.stringify({ size: args.path.length, name: 'ä\u2028€' }));
    },
  });
  const remove = defineTool({
    name: 'remove-it',
    description: 'Removes a file.',
    readOnly: false,
    input: z.object({ path: z.string() }),
    run: (args) => (ran.push(args), Promise.resolve('gone')),
  });
  const todo = defineTool({
    name: 'create_todo',
    description: 'Notes.',
    readOnly: true,
    input: z.object({}),
    run: () => Promise.resolve(''),
  });
  const client = scriptedClient([
    { output: [call('c1', 'run_tools_with_javascript', { script })] },
    { output: [say('end')] },
  ]);
  const session = createSession({
    client,
    tools: [stat, remove, todo],
    approval: 'yolo',
    ...options,
    agent: { ...agent, ...options.agent, codeMode: true },
  });
  const seen: AgentEvent[] = [];
  const failure = await (async () => {
    for await (const event of session.run('go')) seen.push(event);
  })().then(
    () => undefined,
    (error: Error) => error,
  );
  const outer = seen.findLast(
    (event) => event.type === 'tool_call_response' && event.tool_call.name === 'run_tools_with_javascript',
  );
  const text = outer?.type === 'tool_call_response' ? outer.response : '';
  const result = (): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
  return { ran, client, seen, text, result, failure };
}

describe('code_mode_tools', () => {
  test('the model has one tool in place of the others, which says how they are called; todo stays beside it', async () => {
    const { client } = await scripted('return 1');
    const tools = client.asked[0]?.tools as { name: string; description: string }[];
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['run_tools_with_javascript', 'create_todo'],
    );
    assert.match(tools[0]?.description ?? '', /Tells of a file[^]*function stat\(args\)[^]*function remove_it\(args\)/);
  });

  const results: readonly [what: string, script: string, result: object][] = [
    ['a text', 'return "a" + 1', { value: 'a1' }],
    ['an object', 'return { a: [1] }', { value: '{"a":[1]}' }],
    ['nothing', 'stat;', { value: '' }],
    [
      'what tools return',
      'return ["a", "bcd"].map((path) => JSON.parse(stat({ path })).size).join()',
      { value: '1,3' },
    ],
    ['signs beyond ASCII', 'return JSON.parse(stat({ path: "a" })).name + "😀"', { value: 'ä\u2028€😀' }],
    ['a call that is awaited', 'const text = await stat({ path: "a" }); return text.length > 5', { value: 'true' }],
    ['null for what is left out', 'return stat({ path: "a", deep: null }).length > 5', { value: 'true' }],
    [
      'a call that fails',
      'try { stat({ path: "missing" }) } catch (error) { return error.message }',
      { value: 'Error: no such file' },
    ],
    [
      'what is printed',
      'console.log("a", { b: 1 }); console.error("c"); return 1',
      { value: '1', stdout: 'a {"b":1}\n', stderr: 'c\n' },
    ],
  ];
  for (const [what, script, result] of results)
    test(`a script gives ${what}`, async () => {
      assert.deepEqual((await scripted(script)).result(), result);
    });

  const failures: readonly [what: string, script: string, error: RegExp][] = [
    ['throws', 'null.x', /TypeError: Cannot read properties of null/],
    ['is none', 'return (', /SyntaxError/],
    ['waits for ever', 'await new Promise(() => {})', /waits for what never comes/],
    ['evaluates a text', 'return eval("1 + 1")', /EvalError/],
    ['makes a function of a text', 'return stat.constructor("return process")()', /EvalError/],
    ['looks for a way out', 'return console.log.constructor.constructor("return process")().env', /EvalError/],
    ['asks for a module', 'return require("node:fs").readFileSync("/etc/passwd")', /require is not defined/],
    ['imports one', 'return (await import("node:fs")).readFileSync("/etc/passwd")', /import|module/i],
    ['looks for the process', 'return process.env', /process is not defined/],
  ];
  for (const [what, script, error] of failures)
    test(`a script that ${what} fails, and the model is told why`, async () => {
      const { result } = await scripted(script);
      assert.match(String(result()['error']), error);
    });

  test('a script that fails is told with the calls that it has made', async () => {
    const { result } = await scripted('stat({ path: "a" }); throw new Error("late")');
    assert.match(String(result()['error']), /late/);
    const [made] = result()['tool_calls'] as { name: string; arguments: object }[];
    assert.deepEqual([made?.name, made?.arguments], ['stat', { path: 'a' }]);
  });

  test('a script is asked for, and so is each call that may change something', async () => {
    const asked: string[] = [];
    const { ran } = await scripted('return stat({ path: "a" }) + remove_it({ path: "b" })', {
      approval: { approve: ({ name }) => (asked.push(name), 'yes') },
    });
    assert.deepEqual(asked, ['run_tools_with_javascript', 'remove-it']);
    assert.deepEqual(ran, [{ path: 'a' }, { path: 'b' }]);
  });

  test('a script that was declined does not run', async () => {
    const { ran, text } = await scripted('return stat({ path: "a" })', { approval: { approve: () => 'no' } });
    assert.deepEqual(ran, []);
    assert.match(text, /declined/);
  });

  test('a call that a rule denies throws within the script, with --yolo, too', async () => {
    const { ran, result } = await scripted('try { remove_it({ path: "b" }) } catch (error) { return error.message }', {
      rules: permissionsSchema.parse({ deny: ['remove-it'] }),
    });
    assert.deepEqual(ran, []);
    assert.match(String(result()['value']), /the rule "remove-it" denies it/);
  });

  test('a hook of a tool sees the calls of a script, and its no holds', async () => {
    const hooks = hooksSchema.parse({
      pre_tool_use: [{ matcher: 'remove-it', hooks: [{ type: 'command', command: 'echo not this >&2; exit 2' }] }],
    });
    const { ran, result } = await scripted('try { remove_it({ path: "b" }) } catch (error) { return error.message }', {
      agent: { ...agent, hooks },
      hooksIn: { directory: process.cwd(), env: { PATH: process.env['PATH'] } },
    });
    assert.deepEqual(ran, []);
    assert.match(String(result()['value']), /blocked by .*: not this/);
  });

  test('a hook of post_tool_use that ends the run ends it within a script', async () => {
    const hooks = hooksSchema.parse({
      post_tool_use: [{ matcher: 'stat', hooks: [{ type: 'command', command: 'exit 2' }] }],
    });
    const { client } = await scripted('try { stat({ path: "a" }) } catch {} return 1', {
      agent: { ...agent, hooks },
      hooksIn: { directory: process.cwd(), env: { PATH: process.env['PATH'] } },
    });
    assert.equal(client.asked.length, 1);
  });

  test('a value that is too long is cut, and one beyond all bounds ends the script', async () => {
    const { result } = await scripted('return "x".repeat(1e6)');
    const value = String(result()['value']);
    assert.ok(value.length < 263_000 && /x\n.*cut/.test(value), value.slice(131_000, 131_200));
    const { text } = await scripted('return "x".repeat(5e6)');
    assert.match(text, /gave more than 4 MiB at once/);
  });

  test('a script that makes calls without end is ended', async () => {
    const { text, ran } = await scripted('for (;;) { try { stat({ path: "a" }) } catch {} }');
    assert.equal(ran.length, 500);
    assert.match(text, /made more than 500 calls/);
  });

  test('a script that computes without end is ended when its time is over', async () => {
    const { signal } = new AbortController();
    const call = () => Promise.reject(new Error('no call is made'));
    await assert.rejects(runScript('for (;;);', [], { call, signal, ownMs: 500 }), /the script took more than 0\.5 s/);
  });

  test('a script ends with the run', async () => {
    const cancel = new AbortController();
    const client = scriptedClient([
      { output: [call('c1', 'run_tools_with_javascript', { script: 'begin({}); for (;;);' })] },
    ]);
    const begin = defineTool({
      name: 'begin',
      description: 'Begins.',
      readOnly: true,
      input: z.object({}),
      run: () => {
        setImmediate(() => cancel.abort());
        return Promise.resolve('');
      },
    });
    const session = createSession({ client, tools: [begin], approval: 'yolo', agent: { ...agent, codeMode: true } });
    await assert.rejects(async () => {
      for await (const _event of session.run('go', { signal: cancel.signal }));
    });
  });
});
