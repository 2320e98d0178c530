import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { program } from './child.js';
import { emulated, scratch } from './scratch.js';

// A real terminal emulator: what is looked at is what a person would see, after all that was drawn over.
const skip = spawnSync('tmux', ['-V']).status === 0 ? false : 'no tmux here: no screen to look at';

const run = promisify(execFile);

/** A terminal of 100 columns that runs a command, on a tmux server of its own. */
class Terminal {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async open(t: TestContext, folder: string, command: string): Promise<Terminal> {
    const terminal = new Terminal(join(folder, 'tmux'));
    t.after(() => terminal.#tmux('kill-server').catch(() => undefined));
    await terminal.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '40', '-c', folder, command);
    return terminal;
  }

  async #tmux(...args: string[]): Promise<string> {
    return (await run('tmux', ['-S', this.#socket, ...args])).stdout;
  }

  /** What stands on the screen. */
  screen(): Promise<string> {
    return this.#tmux('capture-pane', '-p');
  }

  /** Waits until the screen matches; what it is then. */
  async shows(wanted: RegExp): Promise<string> {
    for (let tries = 0; tries < 300; tries += 1) {
      const screen = await this.screen();
      if (wanted.test(screen)) return screen;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return assert.fail(`never seen: ${wanted}\n${await this.screen()}`);
  }

  async types(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
    await this.#tmux('send-keys', 'Enter');
  }
}

const script = `rules:
  - match: { input: change it }
    reply: { calls: [{ name: edit_file, arguments: { path: notes.txt, edits: [{ oldText: "two", newText: "zwei" }] } }] }
  - match: { input: break it }
    reply: { calls: [{ name: shell, arguments: { cmd: "echo broken; exit 3" } }] }
  - match: { input: make it }
    reply: { calls: [{ name: shell, arguments: { cmd: "touch made.txt\\necho \\u202Edone" } }] }
  - match: { input: "/Made 1 edit/" }
    reply: { text: It is changed. }
  - match: { input: "/exit code 3/" }
    reply: { text: It is broken. }
  - match: { input: "/not today/" }
    reply: { text: Another day. }
`;

describe('turnwire run in tmux', () => {
  test(
    'a screen: edits as diffs, commands as they run, remarks, reasons, and a tool that fails',
    { skip },
    async (t) => {
      const folder = await scratch(t, {
        'agent.yaml': emulated,
        'script.yaml': script,
        'notes.txt': 'one\ntwo\nthree\n',
      });
      const command = `env TURNWIRE_HOME='${join(folder, 'home')}' '${process.execPath}' '${program}' run agent.yaml --script script.yaml`;
      const terminal = await Terminal.open(t, folder, command);
      await terminal.shows(/^>/m);

      await terminal.types('change it');
      const edit = await terminal.shows(/\[y\]es, \[n\]o, \[a\]lways in this session, or no and a reason\?/);
      assert.match(
        edit,
        /Run edit_file for root\n {2}notes\.txt\n {2}@@ -1 \+1 @@\n {3}one\n {2}-two\n {2}\+zwei\n {3}three/,
      );
      await terminal.types('perhaps');
      await terminal.shows(/"perhaps" is neither yes, no nor always/);
      assert.equal(await readFile(join(folder, 'notes.txt'), 'utf8'), 'one\ntwo\nthree\n');
      await terminal.types('y');
      await terminal.shows(/✓ edit_file[\s\S]*It is changed\./);
      assert.equal(await readFile(join(folder, 'notes.txt'), 'utf8'), 'one\nzwei\nthree\n');

      await terminal.types('break it');
      await terminal.shows(/Run shell for root\n {2}\$ echo broken; exit 3\n/);
      await terminal.types('y');
      await terminal.shows(/shell[\s\S]*It is broken\./);

      await terminal.types('make it');
      const made = await terminal.shows(/Run shell for root\n {2}\$ touch made\.txt\n/);
      assert.match(made, /\n {4}echo \\u\{202e\}done\n/);
      await terminal.types('no, not today');
      await terminal.shows(/✗ shell[^\n]*declined[\s\S]*Another day\./);
      assert.equal(existsSync(join(folder, 'made.txt')), false);
    },
  );
});
