import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, test, type TestContext } from 'node:test';
import { Child, program } from '../child.js';
import { emulated, scratch } from '../scratch.js';

// `script` of util-linux gives a command a terminal of its own; it is on every Linux, and not elsewhere in this form.
const found = spawnSync('script', ['--version'], { encoding: 'utf8' });
const skip = /util-linux/.test(found.stdout ?? '') ? false : 'no "script" of util-linux here: no terminal to test with';

// An interrupted prompt stays in the conversation, unanswered: what comes later has to be asked for first.
const script = `rules:
  - match: { input: greet }
    reply: { text: Hello to you. }
  - match: { input: sleep }
    reply: { calls: [{ name: shell, arguments: { cmd: "echo asleep >state.txt; sleep 1000" } }] }
  - match: { input: write }
    reply: { calls: [{ name: shell, arguments: { cmd: "echo written >>made.txt; echo so be it" } }] }
  - match: { input: "/so be it|declined|interrupted/" }
    reply: { text: Very well. }
  - match: { input: slowly }
    reply: { text: "one two three four five six seven eight nine ten", pace: { tokens_per_second: 1 } }
`;

/** Ctrl-C and Ctrl-D, as a terminal sends them. */
const ctrlC = '\u0003';
const ctrlD = '\u0004';

/** A person at a terminal: waits for what is shown, then types. */
class Person {
  readonly child: Child;
  #seen = 0;

  constructor(child: Child) {
    this.child = child;
  }

  /** Waits for text that was not there before the last call. */
  async sees(wanted: string): Promise<void> {
    for (;;) {
      const text = await this.child.shows('stdout', '');
      const at = text.indexOf(wanted, this.#seen);
      if (at >= 0) {
        this.#seen = at + wanted.length;
        return;
      }
      const more = new Promise((resolve) => this.child.process.stdout.once('data', resolve));
      const left = await Promise.race([more.then(() => undefined), this.child.left]);
      if (left !== undefined) assert.fail(`ended without "${wanted}": ${JSON.stringify(left.stdout)}`);
    }
  }

  types(text: string): void {
    this.child.process.stdin.write(text);
  }
}

async function sitsDown(t: TestContext, early = ''): Promise<{ person: Person; folder: string }> {
  const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': script });
  // A shell that waited for it would take part in its Ctrl-C, and end with 130 itself.
  const command = `exec '${process.execPath}' '${program}' run agent.yaml --script script.yaml`;
  const child = new Child('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { TERM: 'xterm', SHELL: '/bin/sh' },
    most: 40_000,
  });
  t.after(() => child.process.kill('SIGKILL'));
  const person = new Person(child);
  if (early !== '') person.types(early);
  await person.sees('> ');
  return { person, folder };
}

describe('turnwire run as a conversation', () => {
  test('prompt after prompt, until Ctrl-D leaves with status 0', { skip }, async (t) => {
    const { person } = await sitsDown(t);
    for (let times = 0; times < 2; times += 1) {
      person.types('greet me\r');
      await person.sees('Hello to you.');
      await person.sees('> ');
    }
    person.types('\r');
    await person.sees('> ');
    person.types(ctrlD);
    assert.equal((await person.child.left).status, 0);
  });

  test('keys typed before the prompt is ready are not lost', { skip }, async (t) => {
    const { person } = await sitsDown(t, 'greet me\r');
    await person.sees('Hello to you.');
    person.types(ctrlD);
    assert.equal((await person.child.left).status, 0);
  });

  test('a tool is run by y, not by n, and by a without more questions', { skip }, async (t) => {
    const { person, folder } = await sitsDown(t);
    const made = (): Promise<string> => readFile(`${folder}/made.txt`, 'utf8').catch(() => '');
    for (const [answer, after] of [
      ['n', ''],
      ['y', 'written\n'],
      ['a', 'written\nwritten\n'],
    ] as const) {
      person.types('write it\r');
      await person.sees('[y]es, [n]o, [a]lways');
      person.types(`${answer}\r`);
      await person.sees('Very well.');
      assert.equal(await made(), after);
      await person.sees('> ');
    }
    person.types('write it\r');
    await person.sees('Very well.');
    assert.equal(await made(), 'written\nwritten\nwritten\n');
    await person.sees('> ');
    person.types(ctrlD);
    const { status, stdout } = await person.child.left;
    assert.equal(status, 0);
    assert.equal(stdout.split('Run \u001b[1mshell').length - 1, 3);
  });

  test('Ctrl-C ends the run and not the conversation: in a turn, in a tool, at a question', { skip }, async (t) => {
    const { person, folder } = await sitsDown(t);
    person.types('speak slowly\r');
    await person.sees('two');
    person.types(ctrlC);
    await person.sees('interrupted');
    await person.sees('> ');

    person.types('now sleep\r');
    await person.sees('[y]es');
    person.types('a\r');
    await until(async () => (await readFile(`${folder}/state.txt`, 'utf8').catch(() => '')) === 'asleep\n');
    person.types(ctrlC);
    await person.sees('interrupted');
    await person.sees('> ');

    person.types('greet me\r');
    await person.sees('Hello to you.');
    await person.sees('> ');
    person.types(ctrlD);
    const { status, stdout } = await person.child.left;
    assert.equal(status, 0);
    assert.doesNotMatch(stdout, /\n {4}at |rror/);
  });

  test(
    'Ctrl-C at a question declines and ends the run; at the prompt it shows a hint, then leaves with status 130',
    { skip },
    async (t) => {
      const { person, folder } = await sitsDown(t);
      person.types('write it\r');
      await person.sees('[y]es');
      person.types(ctrlC);
      await person.sees('interrupted');
      await person.sees('> ');
      await assert.rejects(readFile(`${folder}/made.txt`), { code: 'ENOENT' });
      person.types(ctrlC);
      await person.sees('Ctrl-C again leaves');
      person.types(ctrlC);
      assert.equal((await person.child.left).status, 130);
    },
  );
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail('it did not come to that');
}
