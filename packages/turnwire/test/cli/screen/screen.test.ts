import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { program } from '../child.js';
import { emulated, scratch } from '../scratch.js';

const skip = spawnSync('tmux', ['-V']).status === 0 ? false : 'no tmux here: no terminal to test with';

const script = `rules:
  - match: { input: greet }
    reply: { text: "# Hello\\n\\nThis is **bold**, 日本語 and \\e[31mred." }
  - match: { input: write }
    reply: { calls: [{ name: shell, arguments: { cmd: "echo written >>made.txt; echo so be it" } }] }
  - match: { input: "/so be it|declined/" }
    reply: { text: Very well. }
  - match: { input: sleep }
    reply: { calls: [{ name: shell, arguments: { cmd: "echo $$ >asleep; exec sleep 1000" } }] }
  - match: { input: slowly }
    reply: { text: "one two three four five six seven eight nine ten", pace: { tokens_per_second: 2 } }
`;

/** A terminal of tmux with a conversation in it. */
class Terminal {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async tmux(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('tmux', ['-S', this.#socket, '-f', '/dev/null', ...args]);
    return stdout;
  }

  async types(...keys: string[]): Promise<void> {
    await this.tmux('send-keys', ...keys);
  }

  /** Waits until what is shown matches, with `above` lines of what has scrolled away; 20 seconds at most. */
  async shows(wanted: RegExp, above = 0): Promise<string> {
    let shown = '';
    for (let tries = 0; tries < 400; tries += 1) {
      shown = await this.tmux('capture-pane', '-p', '-S', String(-above));
      if (wanted.test(shown)) return shown;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return assert.fail(`it never showed ${wanted}:\n${shown}`);
  }
}

/** Tries again until it does not reject; 20 seconds at most. */
async function eventually<Value>(attempt: () => Promise<Value>): Promise<Value> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 400) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function isGone(pid: number): Promise<void> {
  await assert.rejects(async () => process.kill(pid, 0), { code: 'ESRCH' });
}

interface SittingDown {
  prompt?: string;
  agent?: string;
  /** What is run first. @default nothing */
  before?: string;
  flags?: string;
  /** What has to be shown in the end. @default the prompt */
  shows?: RegExp;
}

/** A shell in which a conversation runs; it says with which status that ended or was stopped, and how the terminal was left. */
async function sitsDown(
  t: TestContext,
  { prompt = '', agent = emulated, before = '', flags = '--script script.yaml', shows = /^> *$/m }: SittingDown = {},
): Promise<{ terminal: Terminal; folder: string }> {
  let terminal: Terminal | undefined;
  const turnwire = `'${process.execPath}' '${program}'`;
  const run = `${before.replace('turnwire', turnwire)}
${turnwire} run agent.yaml ${prompt} ${flags} 2>errors & echo $! >pid; fg >/dev/null
echo left $?
stty -a
`;
  // Before the folder that its socket is in is removed.
  t.after(() => terminal?.tmux('kill-server').catch(() => undefined));
  const folder = await scratch(t, { 'agent.yaml': agent, 'script.yaml': script, 'run.sh': run });
  terminal = new Terminal(join(folder, 'tmux'));
  const shell = 'env -u NO_COLOR bash --norc --noprofile';
  await terminal.tmux('new-session', '-d', '-x', '70', '-y', '24', '-c', folder, shell);
  await terminal.types('. ./run.sh', 'Enter');
  await terminal.shows(shows);
  return { terminal, folder };
}

describe('turnwire run: screen', () => {
  test('Markdown is rendered, wide characters stay aligned, and escapes of a model do nothing', { skip }, async (t) => {
    const { terminal } = await sitsDown(t);
    await terminal.types('greet me', 'Enter');
    const shown = await terminal.shows(/websocket · 1 turn · \d+ in, \d+ out/);
    assert.match(shown, /^Hello$/m);
    assert.match(shown, /^This is bold, 日本語 and red\.$/m);
    assert(!(await terminal.tmux('capture-pane', '-p', '-e')).includes('\u001b[31m'));
  });

  test('a question is answered on the screen, and the call folds to one line', { skip }, async (t) => {
    const { terminal, folder } = await sitsDown(t);
    await terminal.types('write it', 'Enter');
    await terminal.shows(/^\[y\]es, \[n\]o, \[a\]lways/m);
    await assert.rejects(readFile(join(folder, 'made.txt')), { code: 'ENOENT' });
    await terminal.types('y', 'Enter');
    const shown = await terminal.shows(/Very well\./);
    assert.match(shown, /^✓ shell .*· \d+\.\d s, 1 line$/m);
    assert.equal(await readFile(join(folder, 'made.txt'), 'utf8'), 'written\n');
  });

  test(
    'text typed during the answer steers the turn; a resize keeps everything; Ctrl-C cancels, then leaves',
    { skip },
    async (t) => {
      const { terminal } = await sitsDown(t);
      await terminal.types('speak slowly', 'Enter');
      await terminal.shows(/^one two/m);
      await terminal.types('greet instead', 'Enter');
      await terminal.shows(/sent to the running turn/);
      await terminal.tmux('resize-window', '-x', '40', '-y', '20');
      const narrow = await terminal.shows(/four/);
      assert.equal(narrow.split('sent to the running turn').length, 2);
      assert.equal(narrow.match(/^emulator\/scripted/gm)?.length, 1);
      await terminal.types('C-c');
      await terminal.shows(/interrupted/);
      // What no turn has heard is given back to be edited: the first Ctrl-C takes it away.
      await terminal.shows(/^> greet instead\s*$(?!\n.*told)/m);
      await terminal.types('C-c');
      await terminal.shows(/^> *$/m);
      await terminal.types('C-c');
      await terminal.shows(/Ctrl-C again leaves/);
      await terminal.types('C-c');
      await terminal.shows(/left 130[\s\S]*\s(?<!-)icanon/);
    },
  );

  test('a line typed during a turn over SSE waits for the next turn', { skip }, async (t) => {
    const { terminal } = await sitsDown(t);
    await terminal.types('/transport sse', 'Enter');
    await terminal.types('speak slowly', 'Enter');
    await terminal.shows(/^one two/m);
    await terminal.types('greet me', 'Enter');
    await terminal.shows(/waits for the next turn/);
    const shown = await terminal.shows(/^This is bold/m);
    // The first answer came whole, and then the second.
    assert.match(shown, /nine ten[\s\S]*^Hello$/m);
  });

  test('a run of one prompt shows the screen until its answer, and leaves a status line', { skip }, async (t) => {
    const { terminal, folder } = await sitsDown(t, { prompt: "'write it'", shows: /^\[y\]es/m });
    await terminal.types('n', 'Enter');
    const shown = await terminal.shows(/left 0[\s\S]*\s(?<!-)icanon/);
    assert.match(
      shown,
      /^✗ shell .*declined.*\nVery well\.\nwebsocket · 2 turns · \d+ in, \d+ out · \d+ % cached\nleft 0$/m,
    );
    await assert.rejects(readFile(join(folder, 'made.txt')), { code: 'ENOENT' });
  });

  test('Ctrl-Z gives the terminal back to the shell, and fg brings the conversation back', { skip }, async (t) => {
    const { terminal } = await sitsDown(t);
    await terminal.types('greet', 'C-z');
    await terminal.shows(/left 148[\s\S]*\s(?<!-)icanon/);
    await terminal.types('fg', 'Enter');
    await terminal.shows(/^> greet$/m);
    await terminal.types(' me', 'Enter');
    await terminal.shows(/^Hello$/m);
  });

  test('a terminal that is closed ends the run, its command, and the process with 129', { skip }, async (t) => {
    const { terminal, folder } = await sitsDown(t);
    await terminal.types('sleep', 'Enter');
    await terminal.shows(/^\[y\]es/m);
    await terminal.types('y', 'Enter');
    const command = Number(await eventually(async () => readFile(join(folder, 'asleep'), 'utf8')));
    const program = Number(await readFile(join(folder, 'pid'), 'utf8'));
    await terminal.tmux('kill-server');
    await eventually(() => Promise.all([isGone(command), isGone(program)]));
    assert.equal(await readFile(join(folder, 'errors'), 'utf8'), '');
  });

  test('Ctrl-C leaves, also while the server of a toolset does not start', { skip }, async (t) => {
    const agent = emulated.replace(
      '{ type: filesystem }',
      '{ type: mcp, command: sh, args: [-c, "echo $$ >up; sleep 1000"] }',
    );
    const { terminal, folder } = await sitsDown(t, { agent, shows: /\d/ });
    await eventually(() => readFile(join(folder, 'up'), 'utf8'));
    await terminal.types('C-c');
    await terminal.shows(/left 130[\s\S]*\s(?<!-)icanon/);
  });

  test('a replay reaches no model that was not recorded', { skip }, async (t) => {
    const before = "turnwire run agent.yaml 'greet me' --script script.yaml --record run.jsonl >answer 2>errors";
    const { terminal } = await sitsDown(t, { before, flags: '--replay run.jsonl' });
    await terminal.types('/model openai/gpt-5.4', 'Enter');
    await terminal.shows(/run\.jsonl\s+has\s+no\s+exchange\s+with\s+the\s+model\s+openai\/gpt-5\.4/);
    await terminal.types('greet me', 'Enter');
    await terminal.shows(/^Hello$/m);
  });

  test('SIGTERM leaves the terminal as it was', { skip }, async (t) => {
    const { terminal, folder } = await sitsDown(t);
    process.kill(Number(await readFile(join(folder, 'pid'), 'utf8')), 'SIGTERM');
    await terminal.shows(/left 143[\s\S]*\s(?<!-)icanon/);
  });

  test(
    'earlier lines come back with the arrow keys; pasted lines are one prompt; commands run',
    { skip },
    async (t) => {
      const { terminal } = await sitsDown(t);
      await terminal.types('/transport sse', 'Enter');
      await terminal.shows(/^transport sse$/m);
      await terminal.types('Up');
      await terminal.shows(/^> \/transport sse\s*$(?=[\s\S]*^> \/transport sse)/m);
      await terminal.types('C-u');
      await terminal.tmux('set-buffer', 'greet\nme');
      await terminal.tmux('paste-buffer', '-p');
      await terminal.shows(/^> greet␊me/m);
      await terminal.types('Enter');
      await terminal.shows(/· sse · 1 turn/);
      await terminal.types('/hlep', 'Enter');
      await terminal.shows(/did you mean \/help\?/);
      await terminal.types('/exit', 'Enter');
      await terminal.shows(/left 0/);
    },
  );

  test('a model without its key is refused when it is chosen; leaving says how to go on', { skip }, async (t) => {
    const { terminal, folder } = await sitsDown(t, {
      agent: emulated.replace(
        'instruction:',
        'commands: { fix: { description: Mends it., instruction: Fix. } }\n    instruction:',
      ),
    });
    await terminal.types('/model openai/gpt-5', 'Enter');
    await terminal.shows(/openai\/gpt-5: OPENAI_API_KEY is not set/);
    await terminal.types('/model nobody', 'Enter');
    await terminal.shows(/\/model: there is no model "nobody"/);
    await terminal.types('/help', 'Enter');
    await terminal.shows(/\/fix: Mends it\./, 40);
    await terminal.types('greet me', 'Enter');
    await terminal.shows(/1 turn/);
    await terminal.types('C-d');
    await terminal.shows(/left 0/);
    const errors = await readFile(join(folder, 'errors'), 'utf8');
    assert.match(errors, /To go on with this conversation: turnwire run agent\.yaml --session \d{8}-\d{6}-[0-9a-f]{8}/);
  });
});
