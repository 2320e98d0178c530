import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startEmulator } from '@turnwire/emulator';
import { Console, turnwire, typing } from '../console.js';
import { DeviatingServer } from './deviating-server.js';

const run = promisify(execFile);
const free = ['--only', 'errors/http-envelope', 'connecting/head'];

describe('turnwire check: spending', () => {
  test('says the most that may be spent, and asks before it spends anything', async () => {
    await using emulator = await startEmulator();
    const argv = ['check', emulator.url, '--model', 'theirs', '--only', 'sse/json'];

    const nobody = await turnwire(argv);
    assert.equal(nobody.status, 2);
    assert.match(nobody.stderr, /^1 rule on theirs at http:\/\/127\.0\.0\.1:\d+: at most 600 tokens/);
    assert.match(nobody.stderr, /agree with --yes/);

    const stdin = typing();
    const asked = new Console(argv, { stdin, terminals: ['stdin', 'stderr'] });
    await asked.shows('stderr', 'Spend them? [y/N] ');
    stdin.write('n\n');
    assert.equal((await asked.ended).status, 1);
    assert.deepEqual(emulator.journal.requests(), [], 'nothing was sent before a yes');

    const { status, stdout } = await turnwire([...argv, '--yes']);
    assert.equal(status, 0);
    assert.match(stdout, /^ok {3}sse\/json /);
    assert.match(stdout, /1 passed, 0 failed, 0 skipped; profile openai; \d+ input and \d+ output tokens/);
  });

  test('asks nothing for rules that use no model', async () => {
    await using emulator = await startEmulator();
    const { status, stdout, stderr } = await turnwire(['check', emulator.url, ...free]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /2 passed, 0 failed/);
    assert.equal(emulator.journal.bill().inputTokens, 0);
  });

  test('refuses rules that may spend more than the budget', async () => {
    const argv = ['check', 'http://127.0.0.1:9/v1', '--model', 'm', '--only', 'state', '--budget', '500', '--yes'];
    const { status, stderr } = await turnwire(argv);
    assert.equal(status, 2);
    assert.match(stderr, /may spend [\d,]+ tokens, more than the budget of 500: raise it with --budget/);
  });

  test('skips the remaining rules once the budget is spent', async () => {
    await using emulator = await startEmulator();
    await using server = await DeviatingServer.start(emulator.url, {
      answer: ({ method }) =>
        method === 'POST'
          ? {
              status: 200,
              body: '{"object":"response","id":"r","status":"completed","output":[1],"usage":{"input_tokens":9000,"output_tokens":9000}}',
            }
          : undefined,
    });
    const argv = ['check', server.url, '--model', 'm', '--only', 'sse/json', 'turns/warm-up', '--budget', '1200'];
    const { stdout } = await turnwire([...argv, '--yes', '--verbose']);
    assert.match(stdout, /^ok {3}sse\/json/m);
    assert.match(stdout, /^skip turns\/warm-up .*the budget is spent/m);
  });
});

describe('turnwire check: a rule that fails', () => {
  test('shows the frames without secrets, and a command that repeats it', async (t) => {
    await using emulator = await startEmulator();
    await using server = await DeviatingServer.start(emulator.url, {
      answer: ({ method, headers }) =>
        method === 'POST' ? { status: 422, body: `{"detail":"no, ${headers.authorization ?? ''}"}` } : undefined,
    });
    const env = { MY_KEY: 'sk-very-secret' };
    const argv = ['check', server.url, '--only', 'errors/http-envelope', '--key-from', 'MY_KEY'];
    const { status, stdout } = await turnwire(argv, { env });
    assert.equal(status, 1);
    assert.match(stdout, /^FAIL errors\/http-envelope/);
    assert.match(stdout, /→ POST \/v1\/responses \{\}\n.*← 422 .*\n.*← \{"detail":"no, Bearer \[redacted\]"\}/);
    assert.ok(!stdout.includes('sk-very-secret'));
    const again = /again: (curl .*)$/m.exec(stdout)?.[1] ?? '';
    const shell = await run('sh', ['-c', again], { env: { PATH: process.env['PATH'], ...env }, timeout: 20_000 }).catch(
      (error: unknown) => error as { code: number },
    );
    // 127: the shell has no such command.
    if ('code' in shell && shell.code === 127) return t.skip('curl is not installed');
    assert.ok('stdout' in shell, JSON.stringify(shell));
    assert.equal(shell.stdout, '{"detail":"no, Bearer sk-very-secret"}');
  });

  test('is reported without the key that the server repeats', async () => {
    await using emulator = await startEmulator();
    await using server = await DeviatingServer.start(emulator.url, {
      frames: () => ['{"type":"error","error":{"message":"bad key sk-very-secret"}}'],
    });
    const env = { MY_KEY: 'sk-very-secret' };
    const argv = [
      'check',
      server.url,
      '--model',
      'm',
      '--only',
      'transports',
      '--key-from',
      'MY_KEY',
      '--yes',
      '--json',
    ];
    const { status, stdout } = await turnwire(argv, { env });
    assert.equal(status, 1);
    assert.match(stdout, /"reason":"the turn ended with .*bad key \[redacted\]/);
    assert.ok(!stdout.includes('sk-very-secret'));
  });

  test('over a WebSocket gets a turnwire check command to repeat it', async () => {
    await using emulator = await startEmulator({ dialect: 'azure' });
    const argv = ['check', emulator.url, '--model', 'm', '--only', 'lanes/invalid-name', '--yes'];
    const { status, stdout } = await turnwire(argv);
    assert.equal(status, 1);
    assert.match(
      stdout,
      /again: turnwire check http:\S+ --only lanes\/invalid-name --profile openai --yes --model m$/m,
    );
  });
});

describe('turnwire check: usage', () => {
  test('--list shows the rules of a profile, without a server', async () => {
    const { status, stdout } = await turnwire(['check', '--list', '--only', 'lanes', '--profile', 'azure']);
    assert.equal(status, 0);
    assert.match(stdout, /^lanes\/queue +documented +P43, P75 +2 turns {2}answers/m);
    assert.match(stdout, /^lanes\/names .*\(not for azure: only for openai\)$/m);
    assert.match(stdout, /7 of \d+ rules/);
  });

  test('says in one sentence that no server answers', async () => {
    const { status, stdout, stderr } = await turnwire(['check', 'http://127.0.0.1:9/v1', ...free]);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^no server answers at http:\/\/127\.0\.0\.1:9/);
  });

  const wrong: Readonly<Record<string, [argv: string[], says: RegExp]>> = {
    'no URL': [[], /name the base URL/],
    'a URL that is none': [['localhost'], /must be a base URL with its version/],
    'the URL of an endpoint': [['http://127.0.0.1:9/v1/responses'], /without "\/responses" at its end/],
    'a URL with credentials': [['http://a:b@127.0.0.1:9/v1'], /--key-from/],
    'a rule that does not exist': [
      ['http://127.0.0.1:9/v1', '--only', 'sse/nothing'],
      /no rule and no chapter "sse\/nothing"; chapters are connecting, sse/,
    ],
    'a missing model': [['http://127.0.0.1:9/v1', '--only', 'sse'], /name it with --model/],
    'a key that is nowhere': [['http://127.0.0.1:9/v1', '--key-from', 'NO_KEY'], /the environment has no NO_KEY/],
    'a profile that does not exist': [['http://127.0.0.1:9/v1', '--profile', 'ollama'], /Allowed choices are openai/],
  };
  for (const [name, [argv, says]] of Object.entries(wrong))
    test(`refuses ${name} before anything is sent`, async () => {
      const { status, stdout, stderr } = await turnwire(['check', ...argv]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, says);
    });

  test('refuses a proxy of the environment, which would be taken for the server', async () => {
    const env = { HTTPS_PROXY: 'http://127.0.0.1:3128' };
    const { status, stderr } = await turnwire(['check', 'https://gateway.invalid/v1', ...free], { env });
    assert.equal(status, 2);
    assert.match(stderr, /names the proxy http:\/\/127\.0\.0\.1:3128 for gateway\.invalid: .* NO_PROXY/);
  });

  test('ends on Ctrl-C after the running rule, with the results so far', async () => {
    await using emulator = await startEmulator();
    let answered = 0;
    let interrupt = (): void => {};
    await using server = await DeviatingServer.start(emulator.url, {
      answer: () => {
        answered += 1;
        if (answered === 2) interrupt();
        return undefined;
      },
    });
    const running = new Console(['check', server.url, ...free]);
    interrupt = () => running.signal('SIGINT');
    const { status, stdout } = await running.ended;
    assert.equal(status, 130);
    assert.match(stdout, /1 passed, 0 failed/);
    assert.equal(running.listeners, 0);
  });
});
