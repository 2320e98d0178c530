import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startEmulator } from '@turnwire/emulator';
import { Console, turnwire, typing, type ConsoleOptions, type Ended } from '../console.js';
import { emulated, scratch } from '../scratch.js';

/** The fields of each event, as docs/cli.md has them; "?" marks one that need not be there. */
const page = await readFile(new URL('../../../../../docs/cli.md', import.meta.url), 'utf8');
const [, section = ''] = /^### Events\n([\s\S]*?)^### /m.exec(page) ?? [];
const documented: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [...section.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)]
    .filter(([, type]) => type !== 'type')
    .map(([, type = '', fields = '']) => [type, [...fields.matchAll(/`([\w?]+)`/g)].map(([, field = '']) => field)]),
);

const writes = `turns:
  - reasoning: A file is wanted.
    text: I will write it.
    calls: [{ name: shell, arguments: { cmd: "echo one >> made.txt && echo written" } }]
  - calls: [{ name: shell, arguments: { cmd: "echo two >> made.txt && echo written" } }]
  - text: All done.
`;

async function runs(t: TestContext, script: string, options: ConsoleOptions & { flags?: readonly string[] } = {}) {
  const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': script });
  const { flags = [], ...rest } = options;
  const argv = ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml'), ...flags];
  return { folder, console: new Console(argv, { cwd: folder, ...rest }) };
}

function eventsIn({ stdout }: Ended): Record<string, unknown>[] {
  assert(stdout.endsWith('\n'));
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('turnwire run', () => {
  test('--yolo runs tools without a question; the answer alone goes to standard output', async (t) => {
    const { folder, console } = await runs(t, writes, { flags: ['--yolo'] });
    const { status, stdout, stderr } = await console.ended;
    assert.equal(status, 0);
    assert.equal(stdout, 'I will write it.\nAll done.\n');
    assert.equal(await readFile(join(folder, 'made.txt'), 'utf8'), 'one\ntwo\n');
    assert.match(stderr, /A file is wanted\./);
    assert.match(stderr, /→ shell .*echo one/);
    assert.match(stderr, /✓ .*1 line/);
    assert.match(stderr, /3 turns over websocket, \d+ tokens in/);
    assert.doesNotMatch(stderr, /\[y\]es/);
  });

  test('--json prints events and nothing else, each with the documented fields', async (t) => {
    const { console } = await runs(t, writes, { flags: ['--yolo', '--json'] });
    const ended = await console.ended;
    assert.equal(ended.status, 0);
    assert.equal(ended.stderr, '');
    const events = eventsIn(ended);
    for (const { type, ...fields } of events) assertDocumented(String(type), fields);
    const types = events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
    const turnEnd = ['turn_finished', 'token_usage'];
    const call = ['tool_call', 'tool_call_response'];
    const first = ['user_message', 'stream_started', 'agent_choice_reasoning', 'agent_choice', ...turnEnd, ...call];
    assert.deepEqual(types, [...first, ...turnEnd, ...call, 'agent_choice', ...turnEnd, 'stream_stopped']);
    const said = events.filter(({ type }) => type === 'agent_choice').map(({ content }) => content);
    assert.equal(said.join(''), 'I will write it.All done.');
    assert.deepEqual(events.at(-1), { type: 'stream_stopped', reason: 'completed' });
  });

  test('--json tells of a failure as an event too, with the code of the server', async (t) => {
    const script = 'turns: [{ error: { status: 400, code: bad_thing, message: That is no use. } }]\n';
    const { console } = await runs(t, script, { flags: ['--json'] });
    const ended = await console.ended;
    assert.equal(ended.status, 1);
    const events = eventsIn(ended);
    for (const { type, ...fields } of events) assertDocumented(String(type), fields);
    const [failure, last] = events.slice(-2);
    assert.equal(failure?.['type'], 'error');
    assert.equal(failure?.['server_code'], 'bad_thing');
    assert.match(String(failure?.['message']), /That is no use\./);
    assert.deepEqual(last, { type: 'stream_stopped', reason: 'failed' });
    assert.match(ended.stderr, /^[^\n]*That is no use\.[^\n]*\n$/);
  });

  for (const [where, options] of [
    ['without a terminal', {}],
    ['with --json', { flags: ['--json'], terminals: ['stdin', 'stdout', 'stderr'] }],
  ] as const) {
    test(`${where} no user can be asked: tools that change things are declined, with a sentence that says how to allow them`, async (t) => {
      const { folder, console } = await runs(t, writes, options);
      const { status, stdout, stderr } = await console.ended;
      assert.equal(status, 0);
      assert.match(stdout + stderr, /declined[\s\S]*no user can be asked[\s\S]*--yolo/);
      await assert.rejects(readFile(join(folder, 'made.txt')), { code: 'ENOENT' });
    });
  }

  test('a tool that only reads is run without a question', async (t) => {
    const script = 'turns: [{ calls: [{ name: list_directory, arguments: { path: . } }] }, { text: Done. }]\n';
    const { console } = await runs(t, script);
    const { status, stderr } = await console.ended;
    assert.equal(status, 0);
    assert.match(stderr, /✓ .*2 lines/);
  });

  for (const { typed, made, questions } of [
    { typed: ['y', 'YES'], made: 'one\ntwo\n', questions: 2 },
    { typed: ['a'], made: 'one\ntwo\n', questions: 1 },
    { typed: ['n', ' y '], made: 'two\n', questions: 2 },
  ]) {
    test(`at the terminal, ${JSON.stringify(typed)} answers: ${questions} questions, and what was allowed was done`, async (t) => {
      const stdin = typing();
      const { folder, console } = await runs(t, writes, { stdin, terminals: ['stdin'] });
      const call = ['echo one', 'echo two'];
      for (const [index, answer] of typed.entries()) {
        await console.shows('stderr', `${call[index]} >> made.txt && echo written\n[y]es, [n]o, [a]lways`);
        stdin.write(`${answer}\n`);
      }
      const { status, stderr } = await console.ended;
      assert.equal(status, 0);
      assert.equal(stderr.split('[y]es').length - 1, questions);
      assert.equal(await readFile(join(folder, 'made.txt'), 'utf8'), made);
    });
  }

  test('at the terminal, a line that is neither yes, no nor always has no effect, and the question is asked again', async (t) => {
    const stdin = typing();
    const { folder, console } = await runs(t, writes, { stdin, terminals: ['stdin'] });
    const typed: [question: string, answer: string][] = [
      ['echo one >> made.txt', 'look at the weather, too'],
      ['"look at the weather, too" is neither yes, no nor always', ''],
      ['An empty line is neither', 'yes'],
      ['echo two >> made.txt', 'no, write three'],
    ];
    for (const [question, answer] of typed) {
      await console.shows('stderr', question);
      await console.shows('stderr', '[y]es');
      stdin.write(`${answer}\n`);
    }
    const { status } = await console.ended;
    assert.equal(status, 0);
    assert.equal(await readFile(join(folder, 'made.txt'), 'utf8'), 'one\n');
  });

  test('at the terminal, keys typed before the question do not answer it', async (t) => {
    const stdin = typing();
    const { folder, console } = await runs(t, writes, { stdin, terminals: ['stdin'] });
    stdin.write('y\ny\n');
    await console.shows('stderr', 'echo one >> made.txt && echo written\n[y]es');
    stdin.write('n\n');
    await console.shows('stderr', 'echo two >> made.txt && echo written\n[y]es');
    stdin.write('n\n');
    assert.equal((await console.ended).status, 0);
    await assert.rejects(readFile(join(folder, 'made.txt')), { code: 'ENOENT' });
  });

  test('a terminal that is closed at the question counts as a no, and the run goes on', async (t) => {
    const stdin = typing();
    const { folder, console } = await runs(t, writes, { stdin, terminals: ['stdin'] });
    await console.shows('stderr', '[y]es');
    stdin.end();
    const { status } = await console.ended;
    assert.equal(status, 0);
    await assert.rejects(readFile(join(folder, 'made.txt')), { code: 'ENOENT' });
  });

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`${signal} in the middle of a turn ends it with status ${expected}, without a word of its own`, async (t) => {
      const script = 'turns: [{ text: "a b c d e f g h i j", pace: { tokens_per_second: 0.5 } }]\n';
      const { console } = await runs(t, script);
      await console.shows('stdout', 'a');
      console.signal(signal);
      const { status, stderr } = await console.ended;
      assert.equal(status, expected);
      assert.doesNotMatch(stderr, /rror|abort|\n {4}at /);
      assert.equal(console.listeners, 0);
    });
  }

  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`${signal} while it waits for a prompt ends it with status ${expected}`, { timeout: 20_000 }, async (t) => {
      const folder = await scratch(t, { 'agent.yaml': emulated });
      const console = new Console(['run', join(folder, 'agent.yaml')], { stdin: typing(), terminals: ['stdin'] });
      await console.shows('stderr', '> ');
      console.signal(signal);
      assert.equal((await console.ended).status, expected);
      assert.equal(console.listeners, 0);
    });
  }

  test('a terminal that reports 0 columns is not taken for a narrow one', async (t) => {
    const { console } = await runs(t, writes, { terminals: ['stdin', 'stderr'], columns: 0, env: { NO_COLOR: '1' } });
    assert.match((await console.ended).stderr, /✗ declined: The user /);
  });

  test('the tools work in --working-dir; by default where the command was started', async (t) => {
    const there = await scratch(t);
    const { console } = await runs(t, writes, { flags: ['--yolo', '--working-dir', there] });
    assert.equal((await console.ended).status, 0);
    assert.equal(await readFile(join(there, 'made.txt'), 'utf8'), 'one\ntwo\n');
  });

  test('the key of the model is not in the environment of its commands', async (t) => {
    const agent = emulated.replace(
      'agents:',
      'models: { big: { provider: emulator, model: any, token_key: MY_KEY } }\nagents:',
    );
    const folder = await scratch(t, {
      'agent.yaml': agent.replace('emulator/scripted', 'big'),
      'script.yaml': 'turns: [{ calls: [{ name: shell, arguments: { cmd: env } }] }, { text: Done. }]\n',
    });
    const { status, stdout } = await turnwire(
      ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml'), '--yolo', '--json'],
      { env: { MY_KEY: 'sk-very-secret', OTHER: 'is-there' } },
    );
    assert.equal(status, 0);
    assert.match(stdout, /OTHER=is-there/);
    assert.doesNotMatch(stdout, /sk-very-secret/);
  });

  for (const [key, after, says] of [
    ['first_event_timeout', 0, /within 200 ms .*provider_opts\.first_event_timeout/],
    ['idle_timeout', 3, /for 200 ms .*provider_opts\.idle_timeout/],
  ] as const)
    test(`a model that falls silent is given up after ${key}, with a sentence that says so`, async (t) => {
      const folder = await scratch(t, {
        'agent.yaml': `models: { m: { provider: emulator, model: m, provider_opts: { ${key}: 200ms } } }\nagents: { root: { model: m, fallback: { retries: -1 } } }\n`,
        'script.yaml': `turns: [{ text: One two three four. }]\nfaults: [{ do: stall after=${after} }]\n`,
      });
      const argv = ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml')];
      const { status, stderr } = await turnwire(argv);
      assert.equal(status, 1);
      assert.match(stderr, says);
    });

  for (const transport of ['websocket', 'sse'] as const) {
    for (const after of [undefined, 2]) {
      test(`${transport}: a key that a server repeats in an error, ${after === undefined ? 'before' : 'after'} it has begun, is nowhere`, async (t) => {
        const words = 'message="Incorrect key: sk-very-secret-key." code=invalid_api_key';
        const emulator = await startEmulator({
          faults: [{ do: `error status=401 ${words}${after === undefined ? '' : ` after=${after}`}` }],
        });
        t.after(() => emulator.close());
        const folder = await scratch(t, {
          'agent.yaml': `models: { big: { provider: mine, model: m, base_url: "${emulator.url}", token_key: MY_KEY, provider_opts: { transport: ${transport} } } }\nagents: { root: { model: big } }\n`,
        });
        const home = join(folder, 'home');
        for (const flags of [[], ['--json'], ['--debug']]) {
          const { status, stdout, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', ...flags], {
            env: { MY_KEY: 'sk-very-secret-key', TURNWIRE_HOME: home },
          });
          assert.equal(status, 1);
          assert.match(stdout + stderr, /Incorrect key/);
          assert.doesNotMatch(stdout + stderr, /very-secret/);
        }
        for (const name of await readdir(join(home, 'sessions')))
          assert.doesNotMatch(await readFile(join(home, 'sessions', name), 'utf8'), /very-secret/);
      });
    }
  }

  function assertDocumented(type: string, fields: Readonly<Record<string, unknown>>): void {
    const names = documented[type];
    assert(names !== undefined, `the event ${type} is not documented`);
    const all = new Set(names.map((name) => name.replace('?', '')));
    for (const name of Object.keys(fields)) assert(all.has(name), `${type}.${name} is not documented`);
    for (const name of names) assert(name.endsWith('?') || name in fields, `${type}.${name} is missing`);
  }

  test('the documented events are the ones that exist', async () => {
    const source = await readFile(new URL('../../../src/agent/events.ts', import.meta.url), 'utf8');
    const there = [...source.matchAll(/\btype: '(\w+)'/g)].map(([, type]) => type);
    assert.deepEqual(new Set(Object.keys(documented)), new Set(there));
  });

  const twoModels = `
models:
  first: { provider: emulator, model: one }
  second: { provider: emulator, model: two }
agents:
  root: { model: first }
`;

  for (const { flags, model, transport } of [
    { flags: [], model: 'first', transport: 'websocket' },
    { flags: ['--model', 'second'], model: 'second', transport: 'websocket' },
    { flags: ['--model', 'emulator/three'], model: 'emulator/three', transport: 'websocket' },
    { flags: ['--transport', 'sse'], model: 'first', transport: 'sse' },
    { flags: ['--model', 'second', '--transport', 'sse'], model: 'second', transport: 'sse' },
  ]) {
    test(`run ${flags.join(' ')} goes to ${model} over ${transport}`, async (t) => {
      const folder = await scratch(t, { 'agent.yaml': twoModels });
      const ended = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--json', ...flags], { cwd: folder });
      assert.equal(ended.status, 0);
      const events = eventsIn(ended);
      assert.equal(events.find(({ type }) => type === 'stream_started')?.['model'], model);
      assert.equal(events.find(({ type }) => type === 'turn_finished')?.['transport'], transport);
    });
  }

  test('--model refuses an unknown name, and suggests the nearest one', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': twoModels });
    const { status, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--model', 'secnd'], {
      cwd: folder,
    });
    assert.equal(status, 2);
    assert.match(stderr, /there is no model "secnd"; did you mean "second"\?\n$/);
  });
});
