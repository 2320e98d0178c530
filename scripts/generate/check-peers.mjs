// Runs `turnwire check` against unmodified servers from npm and against the gateway, and writes the failures into docs/check.md. The servers are installed
// below .cache/. Each answers from the emulator, or from a script of its own.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '@turnwire/emulator';
import { installBelowCache } from '../install.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const turnwire = join(root, 'packages', 'turnwire', 'bin', 'turnwire.js');
const model = 'local-1';
/** The time in which a server must listen, in milliseconds. */
const startMs = 30_000;

const folder = installBelowCache('check-peers', [
  '@copilotkit/aimock@1.43',
  '@bitkyc08/opencodex@2.63',
  '@musistudio/llms@1.0',
]);
// npm does not run the postinstall script of bun, which puts the real binary in place of a placeholder.
const bun = join(folder, 'node_modules', 'bun');
if (spawnSync(join(bun, 'bin', 'bun.exe'), ['--version']).status !== 0)
  spawnSync(process.execPath, ['install.js'], { cwd: bun, stdio: 'ignore' });

const script = {
  rules: [{ match: { input: 'Count from one' }, reply: { text: 'one, two, three', pace: { first_token_ms: 500 } } }],
  after: 'echo',
};

const peers = [
  {
    name: 'the emulator, as openai',
    version: versionOf(root, '@turnwire/emulator'),
    profile: 'openai',
    start: emulator,
  },
  { name: '`turnwire serve`', version: versionOf(root, 'turnwire'), profile: 'gateway', start: gateway },
  { name: '@copilotkit/aimock', profile: 'openai', start: aimock },
  { name: '@bitkyc08/opencodex', profile: 'gateway', start: opencodex },
  { name: '@musistudio/llms', profile: 'gateway', start: llms, model: `upstream,${model}` },
];

const rows = [];
for (const peer of peers) {
  const { url, close } = await peer.start();
  try {
    const report = await check(url, peer);
    rows.push({ ...peer, version: peer.version ?? versionOf(folder, peer.name), report });
    console.log(`${peer.name}: ${report.passed} passed, ${report.failed} failed`);
  } finally {
    await close();
  }
}

const page = join(root, 'docs', 'check.md');
const [before, rest] = readFileSync(page, 'utf8').split('<!-- begin: peers -->\n');
const after = rest.split('<!-- end: peers -->\n')[1];
writeFileSync(page, `${before}<!-- begin: peers -->\n${table()}<!-- end: peers -->\n${after}`);
process.exit(0);

function table() {
  const date = new Date().toISOString().slice(0, 10);
  const node = process.version.replace(/\.\d+$/, '').replace('v', '');
  const lines = [
    `Last run: ${date}, Node ${node}.`,
    '',
    '| server | profile | passed | failed | skipped |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ name, version, profile, report }) =>
        `| ${name} ${version} | ${profile} | ${report.passed} | ${report.failed} | ${report.skipped} |`,
    ),
    '',
  ];
  for (const { name, version, report } of rows.filter((row) => row.report.failed > 0)) {
    lines.push(`**${name} ${version}** fails at:`, '');
    const chapters = new Map();
    for (const { id, verdict } of report.rules) {
      const [chapter, rule] = id.split('/');
      if (verdict === 'failed') chapters.set(chapter, [...(chapters.get(chapter) ?? []), rule]);
    }
    for (const [chapter, failed] of chapters) lines.push(`- ${chapter}: ${failed.join(', ')}`);
    lines.push('');
  }
  return lines.join('\n');
}

function check(url, { profile, model: named = model }) {
  const args = ['check', url, '--profile', profile, '--model', named, '--timeout', '5', '--yes', '--json'];
  const child = spawn(process.execPath, [turnwire, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  return new Promise((resolve, reject) => {
    child.on('close', () => {
      try {
        resolve(JSON.parse(text));
      } catch (error) {
        reject(new Error(`the check of ${url} printed no report`, { cause: error }));
      }
    });
  });
}

async function emulator() {
  const server = await startEmulator({ script, models: [model] });
  return { url: server.url, close: () => server.close() };
}

async function gateway() {
  const upstream = await emulator();
  const child = spawn(process.execPath, [turnwire, 'serve', '--upstream', upstream.url, '--port', '0', '--json']);
  const { url } = JSON.parse(
    await new Promise((resolve) => child.stdout.once('data', (line) => resolve(String(line)))),
  );
  return { url, close: () => ended(child, upstream) };
}

/** Starts aimock. It answers from a script of its own: with a call, with a text after a result, and with a text otherwise. */
async function aimock() {
  const { LLMock } = createRequire(join(folder, 'package.json'))('@copilotkit/aimock');
  const server = new LLMock({ port: 0 });
  const call = { id: 'call_1', name: 'get_weather', arguments: '{"city":"Bonn"}' };
  server.on(
    { predicate: ({ messages = [] }) => messages.some(({ role }) => role === 'tool') },
    { content: 'It rains.' },
  );
  server.on({ userMessage: /weather/i }, { toolCalls: [call] });
  server.onMessage(/.*/s, { content: 'ready, and one two three four' });
  await server.start();
  return { url: `${server.url}/v1`, close: () => server.stop() };
}

/** Starts opencodex. It keeps its settings in a home folder, which is made for it here, and listens at a fixed port. */
async function opencodex() {
  const upstream = await emulator();
  const home = mkdtempSync(join(tmpdir(), 'turnwire-peer-'));
  for (const name of ['.opencodex', '.codex']) mkdirSync(join(home, name));
  const provider = {
    adapter: 'openai-responses',
    baseUrl: upstream.url,
    apiKey: 'any',
    models: [model],
    defaultModel: model,
  };
  const providers = { upstream: { ...provider, allowPrivateNetwork: true } };
  const port = 10_199;
  const config = { port, websockets: true, defaultProvider: 'upstream', providers };
  writeFileSync(join(home, '.opencodex', 'config.json'), JSON.stringify(config));
  const child = spawn(
    process.execPath,
    [join(folder, 'node_modules', '@bitkyc08', 'opencodex', 'bin', 'ocx.mjs'), 'start'],
    {
      env: {
        PATH: process.env.PATH,
        HOME: home,
        OPENCODEX_HOME: join(home, '.opencodex'),
        CODEX_HOME: join(home, '.codex'),
      },
      stdio: 'ignore',
    },
  );
  const url = `http://127.0.0.1:${port}/v1`;
  await answers(`${url}/models`);
  return {
    url,
    close: async () => {
      await ended(child, upstream);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Starts llms in this process. Its entry for `import` does not load, but that for `require` does. */
async function llms() {
  const upstream = await emulator();
  const Server = createRequire(join(folder, 'package.json'))('@musistudio/llms').default;
  const provider = { name: 'upstream', api_base_url: `${upstream.url}/responses`, api_key: 'any', models: [model] };
  const providers = [{ ...provider, transformer: { use: ['openai-responses'] } }];
  const initialConfig = { HOST: '127.0.0.1', PORT: '10198', LOG: false, providers };
  void new Server({ useJsonFile: false, initialConfig, logger: false }).start();
  await answers('http://127.0.0.1:10198/');
  return { url: 'http://127.0.0.1:10198/v1', close: upstream.close };
}

async function answers(url) {
  for (const end = Date.now() + startMs; Date.now() < end;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  throw new Error(`nothing listens at ${url}`);
}

async function ended(child, upstream) {
  child.kill();
  await new Promise((resolve) => child.once('close', resolve));
  await upstream.close();
}

function versionOf(from, name) {
  return JSON.parse(readFileSync(join(from, 'node_modules', name, 'package.json'), 'utf8')).version;
}
