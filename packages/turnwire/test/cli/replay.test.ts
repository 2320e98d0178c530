import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startEmulator, type EmulatorOptions } from '@turnwire/emulator';
import { turnwire } from './console.js';
import { scratch } from './scratch.js';

const options = { skip: process.platform === 'win32', timeout: 60_000 };
const key = 'sk-sentinel-0123456789';
const token = 'hunter2-of-the-shell';

/** A team of two on servers of their own, by different transports; the first model of the second agent is always overloaded. */
const team = (first: string, second: string) => `
models:
  lead: { provider: one, model: m1, base_url: "${first}", token_key: LEAD_KEY, provider_opts: { transport: websocket } }
  broken: { provider: two, model: m2, base_url: "${second}" }
  spare: { provider: one, model: m3, base_url: "${first}", token_key: LEAD_KEY, provider_opts: { store: false, transport: sse } }
agents:
  root:
    model: lead
    instruction: Look into it.
    add_date: true
    sub_agents: [helper]
    toolsets: [{ type: shell, env: { TOKEN: "\${env.SHELL_TOKEN}" } }]
  helper:
    model: broken
    fallback: { models: [spare], retries: -1 }
    description: Helps.
`;

const script: EmulatorOptions['script'] = {
  rules: [{ match: { model: 'm3' }, reply: { reasoning: 'Hm.', text: 'I have helped.' } }],
  turns: [
    { calls: [{ name: 'shell', arguments: { cmd: 'cat notes; echo $TOKEN' } }] },
    { calls: [{ name: 'transfer_task', arguments: { agent: 'helper', task: 'Help.' } }] },
    { text: 'The end.' },
  ],
};

interface Recorded {
  file: string;
  folder: string;
  said: unknown[];
  run: (argv: readonly string[], env?: Record<string, string>) => ReturnType<typeof turnwire>;
}

/** Records one run of the team. Its servers are closed by then. */
async function recorded(t: TestContext): Promise<Recorded> {
  const first = await startEmulator({ script });
  const second = await startEmulator({ faults: [{ do: 'error status=500' }] });
  t.after(() => Promise.all([first.close(), second.close()]));
  const folder = await scratch(t, { 'agent.yaml': team(first.url, second.url), notes: 'one\n' });
  const home = join(folder, 'home');
  const run: Recorded['run'] = (argv, env = {}) =>
    turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--yolo', '--json', ...argv], {
      cwd: folder,
      env: { TURNWIRE_HOME: home, SHELL_TOKEN: token, ...env },
    });
  const { status, stdout, stderr } = await run(['--record', 'run.jsonl'], { LEAD_KEY: key });
  assert.equal(status, 0, stderr);
  assert.equal(first.journal.turns().length + second.journal.turns().length, 5);
  await Promise.all([first.close(), second.close()]);
  return { file: join(folder, 'run.jsonl'), folder, run, said: events(stdout) };
}

/** Without what differs from run to run: times, and the session that a replay does not keep. */
function events(stdout: string): unknown[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const {
        duration_ms: _,
        first_event_ms: __,
        session: ___,
        ...event
      } = JSON.parse(line) as Record<string, unknown>;
      return event;
    });
}

describe('turnwire run --record and --replay', () => {
  test(
    'a run is replayed without its servers and without a key: a team, a fallback, both transports',
    options,
    async (t) => {
      const { file, folder, run, said } = await recorded(t);
      const kept = await readdir(join(folder, 'home', 'sessions'));
      const { status, stdout, stderr } = await run(['--replay', 'run.jsonl']);
      assert.equal(status, 0, stderr);
      assert.equal(stderr, '');
      assert.deepEqual(events(stdout), said);
      const text = JSON.stringify(said);
      for (const part of ['model_fallback', 'I have helped.', ' end.', '"websocket"', '"sse"', '"delta"']) {
        assert.ok(text.includes(part), part);
      }
      assert.deepEqual(await readdir(join(folder, 'home', 'sessions')), kept);
      // The date of the prompt is that of the recording.
      const lines = (await readFile(file, 'utf8')).split('\n');
      await writeFile(file, lines.join('\n').replaceAll(/20\d\d-\d\d-\d\d/g, '2020-02-02'));
      assert.equal((await run(['--replay', 'run.jsonl'])).status, 0);
    },
  );

  test('a recording contains no secret of models or tools, and only its owner can read it', options, async (t) => {
    const { file, said } = await recorded(t);
    // The command printed it, and so the model was told.
    assert.ok(JSON.stringify(said).includes(token));
    const text = await readFile(file, 'utf8');
    assert.ok(text.includes('one\\\\n[redacted]'), text);
    assert.ok(!text.includes('sentinel') && !text.includes('hunter2'));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('a run whose request differs from its recording says so and ends', options, async (t) => {
    const { folder, run } = await recorded(t);
    await writeFile(join(folder, 'notes'), 'two\n');
    const { status, stdout, stderr } = await run(['--replay', 'run.jsonl']);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^a request of the run differs from its recording: The request .*run\.jsonl:\d+\); first at input\[0\]\.output: expected "one\\n\[redacted\].*", got "two\\n.*"\.\n$/,
    );
    assert.equal((events(stdout).at(-2) as { server_code: string }).server_code, 'replay_mismatch');

    const loose = await run(['--replay', 'run.jsonl', '--loose']);
    assert.equal(loose.status, 0, loose.stderr);
    assert.match(loose.stderr, /^turnwire: The request .* expected "one.*got "two\\n.*"\.\n$/);
    assert.match(loose.stdout, /" end\."/);
  });

  test('a run that ends before its recording says so', options, async (t) => {
    const { folder, run } = await recorded(t);
    const file = join(folder, 'agent.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('[helper]', '[helper]\n    max_iterations: 3'));
    assert.equal((await run(['--replay', 'run.jsonl'])).status, 0);
    // As if one more prompt had been recorded.
    const text = await readFile(join(folder, 'run.jsonl'), 'utf8');
    const created = text.split('\n').find((line) => line.includes('response.create\\"') && line.includes('"client"'));
    const { at, exchange, ...frame } = JSON.parse(created ?? '') as Record<string, unknown>;
    await writeFile(join(folder, 'run.jsonl'), `${text}${JSON.stringify({ at, exchange, ...frame })}\n`);
    const { status, stderr } = await run(['--replay', 'run.jsonl']);
    assert.equal(status, 1);
    assert.match(stderr, /^turnwire: the run has ended before its recording did: .*, 1 more of lead\n$/);
  });

  test('another transport gets the same answers', options, async (t) => {
    const { folder, run } = await recorded(t);
    const file = join(folder, 'agent.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('transport: websocket', 'transport: sse'));
    const { status, stdout, stderr } = await run(['--replay', 'run.jsonl']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /" end\."/);
  });

  test('options that exclude each other are refused before anything runs', options, async (t) => {
    const { run, folder } = await recorded(t);
    const cases: readonly [readonly string[], RegExp][] = [
      [['--record', 'a', '--replay', 'run.jsonl'], /^--record and --replay exclude each other/],
      [['--replay', 'run.jsonl', '--session', '-1'], /^--replay and --session exclude each other/],
      [['--record', 'a', '--session', '-1'], /^--record and --session exclude each other/],
      [['--replay', 'run.jsonl', '--script', 'x'], /^--replay and --script exclude each other/],
      [['--loose'], /^--loose is for a run with --replay/],
      [['--speed', '2'], /^--speed is for a run with --replay/],
      [['--replay', 'nothing.jsonl'], /nothing\.jsonl cannot be read: there is no such file/],
    ];
    for (const [argv, said] of cases) {
      const { status, stderr } = await run(argv, { LEAD_KEY: key });
      assert.deepEqual([status, said.test(stderr)], [2, true], stderr);
    }
    const again = await run(['--record', 'run.jsonl'], { LEAD_KEY: key });
    assert.deepEqual([again.status, /it exists already/.test(again.stderr)], [2, true], again.stderr);
    const renamed = (await readFile(join(folder, 'agent.yaml'), 'utf8')).replaceAll('lead', 'boss');
    await writeFile(join(folder, 'agent.yaml'), renamed);
    const { status, stderr } = await run(['--replay', 'run.jsonl']);
    assert.deepEqual([status, /has nothing of "boss": there is lead, broken, spare\./.test(stderr)], [2, true], stderr);
  });

  test("the emulator of a run is recorded under its model's name, too", options, async (t) => {
    const folder = await scratch(t, {
      'agent.yaml': 'agents: { root: { model: emulator/any } }\n',
      'script.yaml': 'turns: [{ text: Hello. }]\n',
    });
    const run = (argv: readonly string[]) =>
      turnwire(['run', join(folder, 'agent.yaml'), 'Hi.', ...argv], { cwd: folder });
    assert.equal((await run(['--script', join(folder, 'script.yaml'), '--record', 'run.jsonl'])).stdout, 'Hello.\n');
    assert.equal((await run(['--replay', 'run.jsonl'])).stdout, 'Hello.\n');
  });
});
