import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { unattended } from '../../../dist/agent/tools/commands/command.js';
import { outputText } from '../../../dist/agent/tools/output.js';
import { ToolFailure } from '../../../dist/agent/tools/tool.js';
import { openTools } from '../../../dist/agent/tools/toolsets.js';
import { createSession } from '../../../dist/agent/session.js';
import { result } from '../../../dist/cli/run/run-view.js';
import { agent } from '../agent.js';
import { scratch } from '../scratch.js';
import { call, say, scriptedClient } from '../scripted-client.js';
import { toolsOf } from './tools.js';

const skip = process.platform === 'win32';

async function shell(t: TestContext) {
  const directory = await scratch(t);
  const {
    tools: [tool],
  } = await openTools([{ type: 'shell' }], { directory, env: { PATH: process.env['PATH'], COLOUR: 'red' } });
  assert.ok(tool !== undefined);
  /** What the model is told; `failed` before what is told of a command that did not end well. */
  const run = async (args: unknown, signal = new AbortController().signal): Promise<string> => {
    try {
      return outputText(await tool.run(args, { signal }));
    } catch (error) {
      if (!(error instanceof ToolFailure)) throw error;
      return `failed: ${outputText(error.output)}`;
    }
  };
  return { directory, run };
}

/** Waits until no process of that id is left. The id was written by a command into a file. */
async function gone(file: string): Promise<void> {
  const pid = Number(await readFile(file, 'utf8'));
  assert.ok(pid > 1);
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      process.kill(pid, 0);
      // A zombie that its adopter has not collected yet has ended, too.
      const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      if (/\) Z /.test(state)) return;
    } catch {
      return;
    }
    assert.ok(Date.now() < deadline, `process ${pid} is still there`);
    await delay(20);
  }
}

describe('shell toolset', () => {
  test('a command returns both outputs in their order, and the exit code if it is not 0', { skip }, async (t) => {
    const { run } = await shell(t);
    assert.equal(await run({ cmd: 'echo one; echo two >&2; echo three' }), 'one\ntwo\nthree');
    assert.equal(await run({ cmd: 'echo no; exit 3' }), 'failed: no\n[exit code 3]');
    assert.equal(await run({ cmd: 'true' }), '(no output)');
    assert.equal(await run({ cmd: 'false' }), 'failed: [exit code 1]');
    assert.equal(await run({ cmd: 'kill -9 $$' }), 'failed: [ended by SIGKILL]');
    assert.match(await run({ cmd: 'no-such-command' }), /^failed: .*not found\n\[exit code 127\]$/);
    assert.match(await run({ cmd: 'echo "' }), /^failed: [^]*\n\[exit code 2\]$/);
  });

  test('quotes, lines and blanks reach the shell as they were written', { skip }, async (t) => {
    const { run } = await shell(t);
    assert.equal(
      await run({ cmd: `printf '%s|' "a b" 'c"d' '$x'\ncat <<'END'\n  text $0\nEND` }),
      `a b|c"d|$x|  text $0`,
    );
  });

  test(
    'a command has a closed standard input, the given environment, and the working directory as its folder',
    { skip },
    async (t) => {
      const { run, directory } = await shell(t);
      assert.equal(
        await run({ cmd: 'cat; echo $COLOUR; echo ${HOME-none}; mkdir sub; pwd' }),
        `red\nnone\n${directory}`,
      );
      assert.equal(await run({ cmd: 'pwd', cwd: 'sub' }), join(directory, 'sub'));
      await assert.rejects(run({ cmd: 'pwd', cwd: '..' }), /outside the working directory/);
      await assert.rejects(run({ cmd: 'pwd', cwd: 'gone' }), { message: 'gone does not exist' });
    },
  );

  test('wrong arguments are named', { skip }, async (t) => {
    const { run } = await shell(t);
    await assert.rejects(run({ cmd: '' }), /wrong arguments for shell: cmd: /);
    await assert.rejects(run({ cmd: 'true', timeout: 1e9 }), /timeout: /);
    await assert.rejects(run({ cmd: 'true', timeout: -1 }), /timeout: /);
    await assert.rejects(run({ cmd: 'a\0b' }), /null bytes/i);
  });

  test('a command that hangs is ended with all that it started', { skip }, async (t) => {
    const { run, directory } = await shell(t);
    const result = await run({ cmd: 'echo begun; sh -c "sleep 1000" & echo $! > pid; wait', timeout: 2 });
    assert.match(result, /^failed: begun\n\[timed out after 2 s\]\n\[ended by SIGTERM\]$/);
    await gone(join(directory, 'pid'));
  });

  test('a command that ignores the request to end is killed', { skip }, async (t) => {
    const { run, directory } = await shell(t);
    const result = await run({ cmd: `trap '' TERM; echo $$ > pid; while :; do sleep 1; done`, timeout: 2 });
    assert.match(result, /^failed: \[timed out after 2 s\]\n\[ended by SIGKILL\]$/);
    await gone(join(directory, 'pid'));
  });

  test('a process left behind with the output open does not hold up the call, and is ended', { skip }, async (t) => {
    const { run, directory } = await shell(t);
    const result = await run({ cmd: 'sleep 1000 & echo $! > pid; echo done', timeout: 600 });
    assert.match(result, /^done\n\[it left processes running/);
    await gone(join(directory, 'pid'));
  });

  test('a process left behind with the output closed is ended as well', { skip }, async (t) => {
    const { run, directory } = await shell(t);
    assert.equal(await run({ cmd: 'sleep 1000 >/dev/null 2>&1 & echo $! > pid; echo done' }), 'done');
    await gone(join(directory, 'pid'));
  });

  test('the end of a run ends its command', { skip }, async (t) => {
    const { run, directory } = await shell(t);
    const controller = new AbortController();
    const running = run(
      { cmd: 'sh -c "sleep 1000" & echo $! > pid; touch ready; wait', timeout: 600 },
      controller.signal,
    );
    while (!(await readFile(join(directory, 'ready')).catch(() => undefined))) await delay(10);
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    await gone(join(directory, 'pid'));
    await assert.rejects(run({ cmd: 'touch late' }, controller.signal), { name: 'AbortError' });
    await assert.rejects(readFile(join(directory, 'late')), { code: 'ENOENT' });
  });

  test('of 50 MB of output only both ends are kept and shown', { skip }, async (t) => {
    const { run } = await shell(t);
    const result = await run({ cmd: 'echo first; yes 0123456789abcde | head -c 50000000; echo; echo last' });
    assert.ok(result.startsWith('first\n0123456789abcde\n') && result.endsWith('\nlast'));
    const note = /\n\[cut: (\d+) of (\d+) bytes are not shown\]\n/.exec(result);
    assert.equal(Number(note?.[2]), 50_000_000 + 'first\n\nlast\n'.length);
    assert.equal(Number(note?.[1]), Number(note?.[2]) - 256 * 1024);
    assert.ok(result.length <= 256 * 1024 + 100);
  });

  test('commands end with the process that started them', { skip }, async (t) => {
    const { directory } = await shell(t);
    const tools = new URL('../../../dist/agent/tools/toolsets.js', import.meta.url).href;
    const program = `
    import { openTools } from ${JSON.stringify(tools)};
    import { existsSync } from 'node:fs';
    const { tools: [tool] } = await openTools([{ type: 'shell' }], { directory: process.cwd(), env: process.env });
    void tool.run({ cmd: 'sleep 1000 & echo $! > pid; touch ready; wait', timeout: 600 }, { signal: new AbortController().signal });
    setInterval(() => existsSync('ready') && process.exit(7), 10);`;
    await writeFile(join(directory, 'program.mjs'), program);
    const child = spawn(process.execPath, ['program.mjs'], { cwd: directory, stdio: 'inherit' });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(code, 7);
    await gone(join(directory, 'pid'));
  });

  describe('commands that would ask a person', () => {
    const variables = unattended({
      PATH: process.env['PATH'],
      EDITOR: 'sleep 60',
      GIT_EDITOR: 'sleep 60',
      PAGER: 'less',
    });
    const commit = 'git -c user.email=a@b.example -c user.name=n commit -q --allow-empty';

    test('git opens no editor and no pager, and asks for no password', { skip }, async (t) => {
      const { call } = await toolsOf(
        t,
        [{ type: 'shell' }, { type: 'script', shell: { amend: { cmd: `${commit} --amend && git log --format=%s` } } }],
        { env: variables },
      );
      await call('shell', { cmd: `git init -q . && ${commit} -m first` });
      assert.equal(await call('shell', { cmd: `${commit} --amend && git log --format=%s`, timeout: 20 }), 'first');
      assert.equal(await call('amend'), 'first');
      const shown = await call('shell', {
        cmd: 'echo "$PAGER $GIT_PAGER $EDITOR $GIT_TERMINAL_PROMPT"; test -t 0 || echo no terminal',
      });
      assert.equal(shown, 'cat cat true 0\nno terminal');
    });

    test('git uses an editor and a pager that the agent file sets', { skip }, async (t) => {
      const { call } = await toolsOf(t, [{ type: 'shell', env: { GIT_EDITOR: 'mine' } }], { env: variables });
      assert.equal(await call('shell', { cmd: 'echo "$GIT_EDITOR $EDITOR"' }), 'mine true');
    });
  });

  test('a failed command is shown as failed, in its outcome and to people', { skip }, async (t) => {
    const { box } = await toolsOf(t, [{ type: 'shell' }]);
    const command = { cmd: 'echo one; echo two; exit 3' };
    const client = scriptedClient([{ output: [call('c1', 'shell', command)] }, { output: [say('end')] }]);
    const session = createSession({ client, agent, tools: box.tools, approval: 'yolo' });
    const events = [];
    for await (const event of session.run('go')) if (event.type === 'tool_call_response') events.push(event);
    const [event] = events;
    assert.ok(event !== undefined && events.length === 1);
    assert.deepEqual([event.outcome, event.response], ['failed', 'one\ntwo\n[exit code 3]']);
    assert.equal(result(event), 'failed: exit code 3, 3 lines');
  });
});
