import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child, program, turnwireProcess, type Left } from './child.js';
import { emulated, scratch } from './scratch.js';

function assertNoStack({ stderr }: Left): void {
  assert.doesNotMatch(stderr, /\n {4}at |node:internal|Unhandled/);
}

describe('turnwire as a process', () => {
  test('a closed pipe of standard output ends the command promptly, without a message', async (t) => {
    const folder = await scratch(t, {
      'agent.yaml': emulated,
      'script.yaml': `turns: [{ text: "${'a line of text\\n'.repeat(2000)}", pace: { tokens_per_second: 200 } }]`,
    });
    const script = '"$0" "$1" run agent.yaml Go. --script script.yaml | head -n 1';
    const { status, stdout, stderr } = await new Child('/bin/sh', ['-c', script, process.execPath, program], {
      cwd: folder,
      most: 20_000,
    }).left;
    assert.equal(status, 0);
    assert.equal(stdout, 'a line of text\n');
    assert.equal(stderr, '');
  });

  test('a command with a closed standard output ends with status 141', async (t) => {
    const folder = await scratch(t, {
      'agent.yaml': emulated,
      'script.yaml': 'turns: [{ text: "a b c d e f g h i j k l m n", pace: { tokens_per_second: 5 } }]',
    });
    const child = turnwireProcess(['run', 'agent.yaml', 'Go.', '--script', 'script.yaml'], { cwd: folder });
    await child.shows('stdout', 'a');
    child.process.stdout.destroy();
    const left = await child.left;
    assert.equal(left.status, 141);
    assertNoStack(left);
  });

  test('a closed standard input is no crash: a prompt as argument runs, a prompt to be read is refused', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': emulated });
    const run = async (...argv: string[]): Promise<Left> =>
      new Child('/bin/sh', ['-c', '"$0" "$@" <&-', process.execPath, program, ...argv], { cwd: folder }).left;
    const argument = await run('run', 'agent.yaml', 'Hello.');
    assert.equal(argument.status, 0);
    assert.match(argument.stdout, /Hello\./);
    for (const prompt of [['-'], []]) {
      const left = await run('run', 'agent.yaml', ...prompt);
      assert.equal(left.status, 2);
      assert.match(left.stderr, /^[^\n]+\n$/);
    }
  });

  test('an answer of 400 kB is written to a pipe whole', async (t) => {
    const text = 'x'.repeat(400_000);
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': `turns: [{ text: ${text} }]` });
    const { status, stdout } = await turnwireProcess(['run', 'agent.yaml', 'Go.', '--script', 'script.yaml'], {
      cwd: folder,
    }).left;
    assert.equal(status, 0);
    assert.equal(stdout.length, text.length + 1);
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`${signal} in the middle of a tool: status ${status}, and its processes are gone`, async (t) => {
      const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': sleeper('') });
      const child = turnwireProcess(['run', 'agent.yaml', 'Go.', '--script', 'script.yaml', '--yolo'], { cwd: folder });
      const pids = await pidsOf(folder);
      child.process.kill(signal);
      const left = await child.left;
      assert.equal(left.status, status);
      assertNoStack(left);
      for (const pid of pids) await assertGone(pid);
    });
  }

  test('SIGINT in the middle of a turn: status 130', async (t) => {
    const folder = await scratch(t, {
      'agent.yaml': emulated,
      'script.yaml':
        'turns: [{ text: "a b c d e f g h i j k l m n o p q r s t u v w x y z", pace: { tokens_per_second: 1 } }]',
    });
    const child = turnwireProcess(['run', 'agent.yaml', 'Go.', '--script', 'script.yaml'], { cwd: folder });
    await child.shows('stdout', 'a');
    child.process.kill('SIGINT');
    const left = await child.left;
    assert.equal(left.status, 130);
    assertNoStack(left);
  });

  test('signals end emulate with status 0, and the demo with the status of the signal', async () => {
    const ended = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(async (signal) => {
      const emulate = turnwireProcess(['emulate', '--json']);
      await emulate.shows('stdout', '\n');
      emulate.process.kill(signal);
      return (await emulate.left).status;
    });
    const demo = turnwireProcess(['demo', '--rtt', '400']);
    await demo.shows('stdout', 'running');
    demo.process.kill('SIGTERM');
    const left = await demo.left;
    assert.equal(left.status, 143);
    assertNoStack(left);
    assert.deepEqual(await Promise.all(ended), [0, 0, 0]);
  });

  test('a second Ctrl-C does not wait for a tool that will not end', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': sleeper("trap '' TERM INT; ") });
    const child = turnwireProcess(['run', 'agent.yaml', 'Go.', '--script', 'script.yaml', '--yolo', '--json'], {
      cwd: folder,
    });
    const pids = await pidsOf(folder);
    child.process.kill('SIGINT');
    // The second one must not come before the first was seen: node would merge them.
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.process.kill('SIGINT');
    assert.equal((await child.left).status, 130);
    for (const pid of pids) await assertGone(pid);
  });

  test('a tool that prints 50 MB, one that fails and one that hangs: the run goes on', async (t) => {
    const cmds = [
      { cmd: "head -c 50000000 /dev/zero | tr '\\0' x; echo; echo the end" },
      { cmd: 'echo broken; exit 3' },
      { cmd: 'sleep 1000', timeout: 1 },
    ];
    const calls = cmds.map((args) => `{ calls: [{ name: shell, arguments: ${JSON.stringify(args)} }] }`);
    const folder = await scratch(t, {
      'agent.yaml': emulated,
      'script.yaml': `turns: [${calls.join(', ')}, { text: Done. }]`,
    });
    const { status, stdout } = await turnwireProcess(
      ['run', 'agent.yaml', 'Go.', '--script', 'script.yaml', '--yolo', '--json'],
      { cwd: folder },
    ).left;
    assert.equal(status, 0);
    assert(stdout.length < 2_000_000, `${stdout.length} bytes`);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; response?: string; content?: string });
    const responses = events.filter(({ type }) => type === 'tool_call_response').map(({ response }) => response ?? '');
    assert.equal(responses.length, 3);
    assert.match(responses[0] ?? '', /^x{1000,}[\s\S]*x{1000,}\nthe end$/);
    assert.match(responses[1] ?? '', /broken[\s\S]*exit code 3/);
    assert.match(responses[2] ?? '', /timed out after 1 s/);
    assert.equal(
      events.some(({ type, content }) => type === 'agent_choice' && content === 'Done.'),
      true,
    );
  });

  test('the openai SDK works against emulate with two environment variables', async (t) => {
    const folder = await scratch(t, { 'script.yaml': 'turns: [{ text: As it is written. }]' });
    const emulate = turnwireProcess(['emulate', join(folder, 'script.yaml'), '--json']);
    const { url } = JSON.parse(await emulate.shows('stdout', '\n')) as { url: string };
    const code = `
    import OpenAI from 'openai';
    const client = new OpenAI();
    const stream = await client.responses.create({ model: 'any', input: 'Go.', stream: true });
    for await (const event of stream) if (event.type === 'response.output_text.delta') process.stdout.write(event.delta);
    process.stdout.write('|' + (await client.responses.create({ model: 'any', input: 'Go.' })).output_text);
  `;
    const { status, stdout, stderr } = await new Child(process.execPath, ['--input-type=module', '-e', code], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      env: { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'any' },
    }).left;
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'As it is written.|As it is written.');
    emulate.process.kill('SIGTERM');
    assert.equal((await emulate.left).status, 0);
  });
});

/** A tool that writes the ids of its processes to pids.txt, and then sleeps; `first` is run before. */
function sleeper(first: string): string {
  const cmd = `${first}sh -c '${first.replaceAll("'", `'"'"'`)}echo $$ >> pids.txt; sleep 1000; sleep 1000' & echo $$ >> pids.txt; wait; wait`;
  return `turns: [{ calls: [{ name: shell, arguments: { cmd: ${JSON.stringify(cmd)} } }] }, { text: Done. }]`;
}

/** Waits until both processes of the tool have written theirs. */
async function pidsOf(folder: string): Promise<number[]> {
  for (let tries = 0; tries < 300; tries += 1) {
    const text = await readFile(join(folder, 'pids.txt'), 'utf8').catch(() => '');
    const pids = text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
    if (pids.length === 2) return pids;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the tool did not begin');
}

/** A killed process may take a moment to be gone. */
async function assertGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (!(await lives(pid))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`process ${pid} lives on`);
}

/** False for zombies too: where nobody reaps orphans they stay, dead as they are. */
async function lives(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/\) Z /.test(stat);
}
