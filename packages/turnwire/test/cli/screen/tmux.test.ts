import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { program } from '../child.js';
import { emulated, scratch } from '../scratch.js';

// A real terminal emulator: what is looked at is what a person would see, after all that was drawn over.
const skip = spawnSync('tmux', ['-V']).status === 0 ? false : 'no tmux here: no screen to look at';

const run = promisify(execFile);

/** A terminal of 100 columns that runs a command, on a tmux server of its own. */
class Terminal {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async open(t: TestContext, folder: string, command: string, columns = 100): Promise<Terminal> {
    const terminal = new Terminal(join(folder, 'tmux'));
    t.after(() => terminal.#tmux('kill-server').catch(() => undefined));
    await terminal.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      '40',
      '-c',
      folder,
      command,
    );
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

  /** Presses a key, as tmux calls it. */
  async presses(key: string): Promise<void> {
    await this.#tmux('send-keys', key);
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

const habits = `rules:
  - match: { input: list it }
    reply: { calls: [{ name: list_directory, arguments: { path: . } }] }
  - match: { input: "/notes.txt/" }
    reply: { text: There is one file. }
  - match: { input: take long }
    reply: { calls: [{ name: shell, arguments: { cmd: sleep 60 } }] }
  - match: { input: ask first }
    reply: { calls: [{ name: shell, arguments: { cmd: echo asked } }] }
  - match: { input: "/asked/" }
    reply: { text: Answered. }
`;
const guide = `
agents:
  root:
    model: emulator/scripted
    description: Keeps notes.
    welcome_message: What is **next**?
    toolsets: [{ type: filesystem }, { type: shell }]
    commands: { plan: { description: Goes on with the planner, agent: planner } }
  planner: { model: emulator/other }
`;

for (const columns of [40, 100]) {
  test(
    `a conversation in ${columns} columns: the greeting, unfolding of results, commands, Escape`,
    { skip },
    async (t) => {
      const folder = await scratch(t, { 'docker-agent.yaml': guide, 'script.yaml': habits, 'notes.txt': 'one\n' });
      const command = `env NO_COLOR=1 TURNWIRE_HOME='${join(folder, 'home')}' '${process.execPath}' '${program}' run --script script.yaml`;
      const terminal = await Terminal.open(t, folder, command, columns);
      const first = await terminal.shows(/What is next\?[\s\S]*^>/m);
      assert.match(first, /^root: Keeps notes\.$/m);
      assert.match(
        first.replace(/\s+/g, ' '),
        /model emulator\/scripted · tools filesystem, shell \(14\) · commands \/plan · \/help/,
      );

      await terminal.types('list it');
      await terminal.shows(/There is one file\./);
      await terminal.presses('C-o');
      await terminal.shows(/^ {2}notes\.txt[\s\S]*results are unfolded/m);
      await terminal.presses('C-o');
      await terminal.shows(/results are folded/);

      await terminal.types('ask first');
      await terminal.shows(/→ asks shell/);
      await terminal.types('perhaps');
      // No word is cut in two.
      const told = await terminal.shows(/is\s+neither\s+yes,\s+no\s+nor\s+always,[^]*because\s+…/);
      assert.match(told, /To\s+decline\s+with\s+words\s+for\s+the\s+model,\s+type\s+them\s+behind/);
      await terminal.types('y');
      await terminal.shows(/Answered\./);
      await terminal.types('/title Notes of today');
      await terminal.shows(/^Notes of today$/m);
      await terminal.types('!echo from the shell');
      await terminal.shows(/^from the shell$/m);
      await terminal.types('/cost');
      await terminal.shows(/4 turns since turnwire/);
      await terminal.types('/undo');
      await terminal.shows(/taken back[\s\S]*^> ask first\s*$/m);
      await terminal.presses('C-c');
      await terminal.types('/plan');
      await terminal.shows(/planner goes on/);
      await terminal.types('/modle');
      await terminal.shows(/did\s+you\s+mean\s+\/model\?/);
    },
  );
}

test('Escape cancels what runs, and the clock of a call stands while it waits for a yes', { skip }, async (t) => {
  const folder = await scratch(t, { 'agent.yaml': guide, 'script.yaml': habits });
  const command = `env NO_COLOR=1 TURNWIRE_HOME='${join(folder, 'home')}' '${process.execPath}' '${program}' run agent.yaml --script script.yaml`;
  const terminal = await Terminal.open(t, folder, command);
  await terminal.shows(/^>/m);
  await terminal.types('ask first');
  await terminal.shows(/→ asks shell/);
  // What is no answer leaves the question open, and the clock where it is.
  await terminal.types('perhaps');
  assert.match(await terminal.shows(/"perhaps" is neither yes[^]*→ \S+ (?:s )?shell/), /→ asks shell/);
  await terminal.types('y');
  await terminal.shows(/Answered\./);
  await terminal.types('/yolo');
  await terminal.shows(/without a question/);
  await terminal.types('take long');
  await terminal.shows(/→ \d+ s shell/);
  await terminal.presses('Escape');
  await terminal.shows(/interrupted/);
});
