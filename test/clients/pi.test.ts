// What pi sends, unmodified, and what it is answered.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { home, installed, needs, newerNode, run, start, startProcess, type Ended } from './client.js';

const piPackage = '@earendil-works/pi-coding-agent';
const loop = {
  turns: [{ calls: [{ name: 'bash', arguments: { command: 'echo the-tool-ran' } }] }, { text: 'The tool said so.' }],
};

interface PiProvider {
  readonly baseUrl: string;
  readonly api: 'openai-responses' | 'openai-codex-responses';
  readonly transport: 'sse' | 'websocket-cached';
  readonly ca?: string;
}

async function runPi(t: TestContext, { baseUrl, api, transport, ca = '' }: PiProvider): Promise<Ended> {
  const folder = await home(t);
  const work = join(folder, 'work');
  await mkdir(work);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { exp: 4_102_444_800, 'https://api.openai.com/auth': { chatgpt_account_id: 'account-1' } };
  const apiKey = api === 'openai-responses' ? 'any' : `${part({ alg: 'none' })}.${part(claims)}.c2ln`;
  const models = [{ id: 'gpt-5.4', reasoning: true }];
  await writeFile(
    join(folder, 'models.json'),
    JSON.stringify({ providers: { tested: { baseUrl, api, apiKey, models } } }),
  );
  await writeFile(join(folder, 'settings.json'), JSON.stringify({ transport }));
  await writeFile(join(folder, 'authority.pem'), ca);
  const env = {
    PI_CODING_AGENT_DIR: folder,
    PI_OFFLINE: '1',
    PI_TELEMETRY: '0',
    ...(ca === '' ? {} : { NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') }),
  };
  const program = join(installed, 'node_modules', piPackage, 'dist', 'bundle', 'cli.js');
  const args = [program, '--provider', 'tested', '--model', 'gpt-5.4', '--mode', 'json', 'Use the tool.'];
  const ended = await run(t, newerNode, args, work, env);
  assert.equal(ended.status, 0, ended.said);
  assert.match(ended.said, /the-tool-ran\\n/);
  assert.match(ended.said, /The tool said so\./);
  return ended;
}

describe('pi', () => {
  test('runs a tool loop over SSE with a key', needs(piPackage), async (t) => {
    const emulator = await start(t, loop);
    await runPi(t, { baseUrl: emulator.url, api: 'openai-responses', transport: 'sse' });
    assert.deepEqual(
      emulator.journal.turns().map(({ transport, plan, outcome }) => [transport, plan, outcome]),
      [
        ['sse', 'full', 'completed'],
        ['sse', 'full', 'completed'],
      ],
    );
  });

  test(
    'P18: runs it over a WebSocket as with a ChatGPT login, the second turn a delta',
    needs(piPackage),
    async (t) => {
      const emulator = await start(t, loop, { dialect: 'chatgpt' });
      const baseUrl = new URL('/backend-api', emulator.url).href;
      await runPi(t, { baseUrl, api: 'openai-codex-responses', transport: 'websocket-cached' });
      assert.deepEqual(
        emulator.journal.turns().map(({ transport, plan, outcome }) => [transport, plan, outcome]),
        [
          ['websocket', 'full', 'completed'],
          ['websocket', 'delta', 'completed'],
        ],
      );
    },
  );

  test('P18: sends zstd over SSE as with a ChatGPT login', needs(piPackage), async (t) => {
    const { url, ca, journal } = await startProcess(t, newerNode, loop, 'chatgpt');
    const baseUrl = new URL('/backend-api', url).href;
    await runPi(t, { baseUrl, api: 'openai-codex-responses', transport: 'sse', ca });
    const { turns, connections } = await journal();
    assert.deepEqual(
      turns.map(({ transport, outcome }) => [transport, outcome]),
      [
        ['sse', 'completed'],
        ['sse', 'completed'],
      ],
    );
    assert(connections.some(({ headers }) => headers['content-encoding'] === 'zstd'));
  });
});
