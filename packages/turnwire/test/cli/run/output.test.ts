import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { turnwire, type ConsoleOptions, type Ended } from '../console.js';
import { emulated, scratch } from '../scratch.js';

const escape = '\u001b';
const all = ['stdin', 'stdout', 'stderr'] as const;

async function coloured(t: TestContext, options: ConsoleOptions): Promise<boolean> {
  const folder = await scratch(t, {
    'agent.yaml': emulated,
    'script.yaml': 'turns: [{ calls: [{ name: list_directory, arguments: { path: . } }] }, { text: Done. }]\n',
  });
  const { status, stderr } = await turnwire(
    ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml')],
    { cwd: folder, ...options },
  );
  assert.equal(status, 0);
  return stderr.includes(escape);
}

describe('turnwire run: output', () => {
  test('colours: on a terminal unless NO_COLOR or TERM=dumb, elsewhere only with FORCE_COLOR', async (t) => {
    const env = { TERM: 'xterm-256color' };
    assert.equal(await coloured(t, { env, terminals: all }), true, 'a terminal');
    assert.equal(await coloured(t, { env }), false, 'a pipe');
    assert.equal(await coloured(t, { env, terminals: ['stdin', 'stdout'] }), false, 'only the errors are piped');
    assert.equal(await coloured(t, { env: { ...env, NO_COLOR: '1' }, terminals: all }), false, 'NO_COLOR');
    assert.equal(await coloured(t, { env: { ...env, NO_COLOR: '' }, terminals: all }), true, 'an empty NO_COLOR');
    assert.equal(await coloured(t, { env: { TERM: 'dumb' }, terminals: all }), false, 'TERM=dumb');
    assert.equal(await coloured(t, { env: { ...env, FORCE_COLOR: '1' } }), true, 'FORCE_COLOR in a pipe');
    assert.equal(await coloured(t, { env: { ...env, FORCE_COLOR: '0' } }), false, 'FORCE_COLOR=0 in a pipe');
    assert.equal(await coloured(t, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }), false, 'both');
  });

  // Clear the screen, set the title, hide the cursor by a C1 sequence, ring, go back to the beginning of the line.
  const hostile = '\\e[2J\\e]0;owned\\a\\x9b?25l\\a\\r\\b\\x7f\\0';

  async function attacked(t: TestContext, script: string, flags: readonly string[] = []): Promise<Ended> {
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': script });
    const argv = ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml'), ...flags];
    return turnwire(argv, { cwd: folder, terminals: all, env: { NO_COLOR: '1' } });
  }

  function assertHarmless({ stdout, stderr }: Ended): void {
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    for (const text of [stdout, stderr]) assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  }

  const attacks = {
    'its answer': `turns: [{ text: "${hostile} harmless" }]`,
    'its reasoning': `turns: [{ reasoning: "${hostile} harmless", text: harmless }]`,
    'its refusal': `turns: [{ refusal: "${hostile} harmless" }]`,
    'the name of a tool': `turns: [{ calls: [{ name: "${hostile} harmless" }] }, { text: Done. }]`,
    'the arguments of a tool': `turns: [{ calls: [{ name: shell, arguments: { cmd: "echo harmless '${hostile}'" } }] }, { text: Done. }]`,
    'arguments that are no JSON': `turns: [{ calls: [{ name: shell, arguments: "${hostile} harmless" }] }, { text: Done. }]`,
    'an error': `turns: [{ error: { status: 400, message: "${hostile} harmless" } }]`,
    'a failure': `turns: [{ fail: { code: server_error, message: "${hostile} harmless" } }]`,
  };
  for (const [name, script] of Object.entries(attacks)) {
    test(`no control character of the model reaches a terminal by ${name}`, async (t) => {
      for (const flags of [['--yolo'], ['--yolo', '--debug'], ['--yolo', '--json']]) {
        const ended = await attacked(t, script, flags);
        assert.match(ended.stdout + ended.stderr, /harmless/);
        assertHarmless(ended);
      }
    });
  }

  test('no control character of a file reaches a terminal by the output of a tool', async (t) => {
    const cmd = String.raw`printf '\033[2J\233 harmless'; exit 3`;
    const script = `turns: [{ calls: [{ name: shell, arguments: { cmd: ${JSON.stringify(cmd)} } }] }, { text: Done. }]`;
    for (const flags of [['--yolo'], ['--yolo', '--json']]) assertHarmless(await attacked(t, script, flags));
  });

  test('a pipe gets the answer unchanged', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': 'turns: [{ text: "\\e[1mbold\\e[0m" }]' });
    const { stdout } = await turnwire([
      'run',
      join(folder, 'agent.yaml'),
      'Go.',
      '--script',
      join(folder, 'script.yaml'),
    ]);
    assert.equal(stdout, `${escape}[1mbold${escape}[0m\n`);
  });

  for (const fault of ['reset after=6', 'close after=6', 'end after=6'])
    test(`W14: an answer that is begun anew after "${fault}" stands in a pipe once, and streams to a terminal`, async (t) => {
      const script = `turns: [{ text: The answer is whole. }]\nafter: repeat\nfaults: [{ on: { turn: 1 }, do: ${fault} }]\n`;
      const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': script });
      const argv = ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml')];
      const [piped, shown] = await Promise.all([turnwire(argv), turnwire(argv, { terminals: ['stdout', 'stderr'] })]);
      assert.equal(piped.status, 0, piped.stderr);
      assert.match(piped.stderr, /failed in the middle of its answer, which it begins anew/);
      assert.equal(piped.stdout, 'The answer is whole.\n');
      assert.match(shown.stdout, /^The\b.*\nThe answer is whole\.\n$/);
    });

  test('the part of an answer that came before it failed is written to a pipe', async (t) => {
    const script = 'turns: [{ text: Half an, fail: { code: invalid_prompt, message: No. } }]';
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': script });
    const { status, stdout } = await turnwire([
      'run',
      join(folder, 'agent.yaml'),
      'Go.',
      '--script',
      join(folder, 'script.yaml'),
    ]);
    assert.deepEqual([status, stdout], [1, 'Half an\n']);
  });

  test('an error of several lines is one line; --debug adds where it happened', async (t) => {
    const script = 'turns: [{ error: { status: 400, message: "first\\nsecond\\r\\nthird" } }]';
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': script });
    const argv = ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml')];
    const plain = await turnwire(argv);
    assert.equal(plain.status, 1);
    assert.match(plain.stderr, /^[^\n]*first second third[^\n]*\n$/);
    const debug = await turnwire([...argv, '--debug']);
    assert.match(debug.stderr, /\n {4}at /);
  });

  test('on a terminal, the line of a call is not wider than the terminal', async (t) => {
    const long = 'x'.repeat(500);
    const script = `turns: [{ calls: [{ name: shell, arguments: { cmd: "echo ${long}; exit 1" } }] }, { text: Done. }]`;
    const { stderr } = await attacked(t, script, ['--yolo']);
    for (const line of stderr.split('\n')) assert(line.length <= 80, line);
  });
});
