import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { secretChain } from '../../../dist/config/secrets/chain.js';
import { readSecret, secretProblem } from '../../../dist/config/secrets/key.js';
import { SecretError } from '../../../dist/config/secrets/secrets.js';
import { scratch } from '../scratch.js';
import { program } from './program.js';

const posix = { skip: process.platform === 'win32' };

/** A machine of its own: a folder for programs, which is the whole PATH besides the shell's, one for mounted secrets, and files. */
async function machine(t: TestContext) {
  const folder = await scratch(t);
  const [bin, mounted] = [join(folder, 'bin'), join(folder, 'secrets')];
  await Promise.all([mkdir(bin), mkdir(mounted)]);
  const env: Record<string, string> = { PATH: `${bin}:/bin:/usr/bin` };
  return {
    folder,
    bin,
    env,
    mount: (name: string, content: string) => writeFile(join(mounted, name), content),
    file: (name: string, content: string) => writeFile(join(folder, name), content),
    chain: (options: Partial<Parameters<typeof secretChain>[0]> = {}) =>
      secretChain({ env, cwd: folder, mounted, platform: 'linux', ...options }),
  };
}

describe('sources of secrets', () => {
  test('the first source that has a name decides, in the documented order', posix, async (t) => {
    const { bin, env, mount, file, chain } = await machine(t);
    env['TURNWIRE_CREDENTIAL_HELPER'] = 'fake';
    await program(bin, 'security', '[ "$*" = "find-generic-password -w -s KEY" ] && echo from-keychain');
    const everywhere = () => chain({ envFiles: ['one.env', 'two.env'], platform: 'darwin' });
    await file('one.env', '');
    await file('two.env', '');
    await program(bin, 'docker-credential-fake', 'exit 1');
    const value = async () => (await everywhere().get('KEY'))?.value;
    assert.equal(await value(), 'from-keychain');
    await program(bin, 'pass', '[ "$*" = "show KEY" ] && printf "from-pass\\nnotes\\n"');
    assert.equal(await value(), 'from-pass');
    await program(
      bin,
      'docker-credential-fake',
      '[ "$1 $(cat)" = "get KEY" ] && echo \'{"ServerURL":"KEY","Username":"x","Secret":"from-helper"}\'',
    );
    assert.equal(await value(), 'from-helper');
    await mount('KEY', 'from-mount\n');
    assert.equal(await value(), 'from-mount');
    env['KEY'] = 'from-environment';
    assert.equal(await value(), 'from-environment');
    await file('two.env', 'KEY=from-two');
    assert.equal(await value(), 'from-two');
    await file('one.env', 'KEY=from-one');
    assert.equal(await value(), 'from-one');
  });

  test('an empty value decides, too, and is reported with its source', async (t) => {
    const { env, mount, chain } = await machine(t);
    env['KEY'] = '';
    await mount('KEY', 'from-mount');
    assert.deepEqual(await chain().get('KEY'), { value: '', source: 'the environment' });
    assert.match((await secretProblem(chain(), ['KEY'], true)) ?? '', /^KEY, from the environment, is empty/);
  });

  test('each source is asked anew, so that a rotated key is used', posix, async (t) => {
    const { bin, folder, mount, chain } = await machine(t);
    const secrets = chain();
    assert.equal(await secrets.get('KEY'), undefined);
    await mount('KEY', 'first');
    assert.equal((await secrets.get('KEY'))?.value, 'first');
    await mount('KEY', 'second');
    assert.equal((await secrets.get('KEY'))?.value, 'second');
    await program(bin, 'pass', `cat '${join(folder, 'store')}'`);
    const store = chain();
    for (const value of ['one', 'two']) {
      await writeFile(join(folder, 'store'), value);
      assert.equal((await store.get('OTHER'))?.value, value);
    }
  });

  test('of several names, the first one found is sent; a missing secret is reported with all its names and sources', async (t) => {
    const { env, chain } = await machine(t);
    const said = (await secretProblem(chain(), ['A_KEY', 'B_KEY'], true)) ?? '';
    for (const way of [
      'A_KEY or B_KEY is not set',
      'export',
      '--env-from-file',
      '/run/secrets/A_KEY',
      'pass',
      'keychain',
    ])
      assert(said.includes(way), `${way}: ${said}`);
    env['B_KEY'] = 'b';
    assert.equal(await readSecret(chain(), ['A_KEY', 'B_KEY']), 'b');
    env['A_KEY'] = 'a';
    assert.equal(await readSecret(chain(), ['A_KEY', 'B_KEY']), 'a');
  });

  test('the name of a property of Object is no secret', async (t) => {
    const { chain } = await machine(t);
    assert.equal(await chain().get('toString'), undefined);
  });

  test('a name with a path or an option in it is neither a file nor an argument', posix, async (t) => {
    const { folder, bin, chain } = await machine(t);
    await writeFile(join(folder, 'outside'), 'topsecret');
    await program(bin, 'pass', 'echo topsecret');
    for (const name of ['../outside', '/etc/hostname', '--help', 'A B'])
      assert.equal(await chain().get(name), undefined);
  });

  test('env files: read as Node reads them: comments, export, quotes, several lines, CRLF; nothing is replaced', async (t) => {
    const { file, chain } = await machine(t);
    await file(
      'x.env',
      `\uFEFF# a comment\r\n\r\nA=1\r\nexport B = two words \r\nC="quoted # $A"\r\nD='single "x"'\r\nE=\r\nF=a=b # a remark\r\n  # F=no\r\nA=2\r\nH="one\ntwo"\nI=\`tick\`\n`,
    );
    const secrets = chain({ envFiles: ['x.env'] });
    const values: Record<string, string | undefined> = {};
    for (const name of ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'toString'])
      values[name] = (await secrets.get(name))?.value;
    assert.deepEqual(values, {
      A: '2',
      B: 'two words',
      C: 'quoted # $A',
      D: 'single "x"',
      E: '',
      F: 'a=b',
      G: undefined,
      H: 'one\ntwo',
      I: 'tick',
      toString: undefined,
    });
  });

  test(
    'env files: a missing file, a path with "..", a folder and a pipe are refused when they are named',
    posix,
    async (t) => {
      const { folder, file, chain } = await machine(t);
      const naming = (path: string) => () => chain({ envFiles: [path] });
      assert.throws(naming('none.env'), /^SecretError: none\.env: there is no such file; check --env-from-file/);
      assert.throws(naming('../x.env'), /a path with "\.\." is not taken/);
      assert.throws(naming('bin'), /bin: it is not a regular file/);
      await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
      assert.throws(naming('pipe'), /pipe: it is not a regular file/);
      await file('gone.env', 'A=1');
      const secrets = chain({ envFiles: ['gone.env'] });
      await rm(join(folder, 'gone.env'));
      await assert.rejects(secrets.get('A'), /^SecretError: gone\.env: there is no such file/);
    },
  );

  test('a mounted secret of a megabyte is not read', async (t) => {
    const { mount, chain } = await machine(t);
    await mount('KEY', 'x'.repeat(1024 * 1024));
    await assert.rejects(chain().get('KEY'), /it is larger than 64 KiB/);
  });

  test('a program that hangs is ended with its children, and reported in time', posix, async (t) => {
    const { folder, bin, chain } = await machine(t);
    const pid = join(folder, 'pid');
    // The child keeps standard output open: whoever waits for its end would wait for an hour.
    await program(bin, 'pass', `sleep 3600 & echo $! > '${pid}'; wait`);
    const began = performance.now();
    await assert.rejects(chain({ deadlineMs: 500 }).get('KEY'), /^SecretError: pass gave no answer within 0\.5 s$/);
    assert(performance.now() - began < 5000);
    const child = Number(await readFile(pid, 'utf8'));
    assert.equal(await ended(child), true, 'its child lives on');
  });

  test('a program that never stops printing is ended', posix, async (t) => {
    const { bin, chain } = await machine(t);
    await program(bin, 'pass', 'yes topsecret');
    await assert.rejects(chain().get('KEY'), /^SecretError: pass printed more than 64 KiB, which is no secret$/);
  });

  test('programs are run without a shell, and their error output is not shown', posix, async (t) => {
    const { bin, chain } = await machine(t);
    await program(bin, 'pass', 'echo topsecret >&2; exit 1');
    assert.equal(await chain().get('KEY'), undefined);
  });

  test('a program that appears on the PATH later, or in a relative folder of it, is not run', posix, async (t) => {
    const { bin, env, chain } = await machine(t);
    const secrets = chain();
    await program(bin, 'pass', 'echo hijacked');
    assert.equal(await secrets.get('KEY'), undefined);
    env['PATH'] = 'bin:.';
    assert.equal(await chain().get('KEY'), undefined);
  });

  test('the keychain is that of macOS', posix, async (t) => {
    const { bin, chain } = await machine(t);
    await program(bin, 'security', 'echo from-keychain');
    assert.equal(await chain({ platform: 'linux' }).get('KEY'), undefined);
    assert.equal((await chain({ platform: 'darwin' }).get('KEY'))?.value, 'from-keychain');
  });

  test('a missing credential helper, or one that is no name, is refused before anything runs', posix, async (t) => {
    const { env, chain } = await machine(t);
    for (const helper of ['none', '../../bin/sh', 'a b']) {
      env['TURNWIRE_CREDENTIAL_HELPER'] = helper;
      assert.throws(() => chain(), /TURNWIRE_CREDENTIAL_HELPER: there is no such credential helper/);
    }
  });

  test('a credential helper with a wrong answer is reported without the answer', posix, async (t) => {
    const { bin, env, chain } = await machine(t);
    env['TURNWIRE_CREDENTIAL_HELPER'] = 'fake';
    for (const answer of ['sk-topsecret', '{"Secret":5}', '{"Secret":"sk-topsecret"']) {
      await program(bin, 'docker-credential-fake', `echo '${answer}'`);
      await assert.rejects(chain().get('KEY'), (error: unknown) => {
        assert(error instanceof SecretError);
        assert.match(error.message, /did not answer with JSON that has a "Secret"$/);
        assert.doesNotMatch(`${error.message}${String(error.cause)}`, /topsecret/);
        return true;
      });
    }
  });

  test('a 1Password reference is read by its CLI, and never sent as it is', posix, async (t) => {
    const { bin, env, chain } = await machine(t);
    env['KEY'] = 'op://vault/openai/key';
    assert.match((await secretProblem(chain(), ['KEY'], true)) ?? '', /is a 1Password reference, and there is no "op"/);
    await program(bin, 'op', '[ "$*" = "read --no-newline op://vault/openai/key" ] && printf from-op');
    assert.equal(await readSecret(chain(), ['KEY']), 'from-op');
    await program(bin, 'op', 'exit 1');
    assert.match((await secretProblem(chain(), ['KEY'], true)) ?? '', /"op read" has no answer to/);
  });

  const unfit: readonly (readonly [string, string, RegExp])[] = [
    ['with a line break', 'top\nsecret', /holds a line break/],
    ['with a blank', 'top secret', /holds a blank/],
    ['that is not ASCII', 'topsécret', /holds a blank or a character that is not ASCII/],
  ];
  for (const [name, value, expected] of unfit) {
    test(`a key ${name} is refused and not shown; as a variable of a command it is fine`, async (t) => {
      const { env, chain } = await machine(t);
      env['KEY'] = value;
      const said = (await secretProblem(chain(), ['KEY'], true)) ?? '';
      assert.match(said, expected);
      assert(!said.includes(value));
      assert.equal(await secretProblem(chain(), ['KEY'], false), undefined);
    });
  }
});

/** Whether a process that was killed is gone, or will never run again; waited for, for a second at most. */
async function ended(pid: number): Promise<boolean> {
  for (const end = performance.now() + 1000; performance.now() < end;) {
    try {
      process.kill(pid, 0);
      const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      if (/\) Z /.test(state)) return true;
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
