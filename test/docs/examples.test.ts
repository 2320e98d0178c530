import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { startEmulator, type EmulatorOptions } from 'turnwire/emulator';
import { root } from './pages.js';

const turnwire = join(root, 'packages', 'turnwire', 'bin', 'turnwire.js');
const folder = await mkdtemp(join(tmpdir(), 'turnwire examples '));
after(() => rm(folder, { recursive: true, force: true }));

interface Example {
  script: EmulatorOptions['script'];
  prints: RegExp;
}

/** For the SDKs on our fetch: all do the same, and none sends its history twice. */
function weather(): Example {
  return {
    script: {
      turns: [
        { calls: [{ name: 'weather', as: 'weather', arguments: { city: 'Oslo' } }] },
        { text: 'In Oslo it is {{ weather.trim }}.' },
      ],
    },
    prints: /^In Oslo it is raining\.\n1 of 2 turns sent only what was new\n$/,
  };
}

/** What the model says to each of them, and what it is to print then. A file that is not here has no test, and fails the first one. */
const programs: Readonly<Record<string, Example>> = {
  'first-turn.ts': {
    script: { turns: [{ text: 'Hello there.' }] },
    prints: /^Hello there\.\ncompleted over websocket: \d+ bytes sent, first event after \d+ ms\n$/,
  },
  'tool-loop.ts': {
    script: {
      turns: [
        {
          calls: [
            { name: 'file_count', as: 'a', arguments: { folder: 'src' } },
            { name: 'file_count', as: 'b', arguments: { folder: 'test' } },
          ],
        },
        { text: '{{ a.trim }} and {{ b.trim }}.' },
      ],
    },
    prints: /^38 and 41\.\nconnections dialled: 1\n$/,
  },
  'conversation.ts': {
    script: { turns: [{ text: 'Hello, Ada.' }, { text: 'Ada.' }] },
    prints: /^Hello, Ada\.\nsent: full\nAda\.\nsent: delta\n$/,
  },
  'openai-sdk.ts': weather(),
  'ai-sdk.ts': weather(),
  'agents-sdk.ts': weather(),
  'langchain.ts': weather(),
  'emulator.ts': { script: undefined, prints: /right/ },
  'gateway.ts': {
    script: undefined,
    prints: /^Take an umbrella\.\nwebsocket, full: \d+ bytes\nwebsocket, delta: \d+ bytes\n$/,
  },
};

test('every example has a test in this file', async () => {
  const names = await readdir(join(root, 'examples'));
  assert.deepEqual(names.filter((name) => name.endsWith('.ts')).sort(), Object.keys(programs).sort());
});

test('an example with an SDK has at most 20 lines', async () => {
  for (const name of ['openai-sdk.ts', 'ai-sdk.ts', 'agents-sdk.ts', 'langchain.ts']) {
    const lines = (await readFile(join(root, 'examples', name), 'utf8')).trimEnd().split('\n');
    assert(lines.length <= 20, `${name} has ${lines.length} lines`);
  }
});

const built = join(root, 'examples', 'dist');
for (const [name, example] of Object.entries(programs)) {
  test(`examples/${name} runs, and ends by itself`, async (t) => {
    const { stderr } = await runs(t, join(built, name.replace(/\.ts$/, '.js')), example);
    assert.equal(stderr, '');
  });
}

describe('with the SDKs that npm picks on Node 20', () => {
  const sdks = join(root, '.cache', 'sdks-node-20');
  const skip = !existsSync(join(sdks, 'node_modules')) && 'not installed; "npm run test:extra" installs them';
  for (const name of ['openai-sdk', 'ai-sdk', 'langchain']) {
    test(`examples/${name}.ts runs, and ends by itself`, { skip }, async (t) => {
      // Beside those SDKs, because that is where a program looks for them first.
      const copies = join(sdks, 'examples');
      await mkdir(copies, { recursive: true });
      const copy = join(copies, `${name}.mjs`);
      await copyFile(join(built, `${name}.js`), copy);
      await runs(t, copy, weather());
    });
  }
});

async function runs(t: TestContext, file: string, { script, prints }: Example) {
  const emulator = await startEmulator({ script });
  t.after(() => emulator.close());
  const ended = await finished([file], { OPENAI_BASE_URL: emulator.url, OPENAI_API_KEY: 'any' });
  assert.equal(ended.status, 0, ended.stderr);
  assert.match(ended.stdout, prints);
  return ended;
}

// The single files beside the folders are checked by packages/turnwire/test/config/json-schema.test.ts: they name real providers.
for (const { name } of (await readdir(join(root, 'examples', 'agents'), { withFileTypes: true })).filter((entry) =>
  entry.isDirectory(),
)) {
  test(`examples/agents/${name} is an agent that runs`, async () => {
    const file = join(root, 'examples', 'agents', name, 'agent.yaml');
    const { status, stdout, stderr } = await finished(
      [turnwire, 'run', file, 'Say these words.', '--working-dir', folder],
      {},
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Say these words\./);
  });
}

/** Runs a program to its end, for a minute at most. */
async function finished(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { status: child.exitCode, stdout, stderr };
}
