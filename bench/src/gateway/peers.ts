// Gateways of others, where "npm run check:peers" has installed them.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pacedModel, pausingModel } from './protocol.js';
import type { Setup } from './protocol.js';

const folder = fileURLToPath(new URL('../../../.cache/check-peers/', import.meta.url));
const models = ['any', pacedModel, pausingModel];
const opencodexMain = join(folder, 'node_modules/@bitkyc08/opencodex/src/cli/index.ts');
const bun = join(folder, 'node_modules/bun/bin/bun.exe');

/** True where the peer is installed. opencodex runs in a process of Bun, which is measured by what Linux says of it. */
export function isInstalled(peer: 'llms' | 'opencodex'): boolean {
  if (peer === 'llms') return existsSync(join(folder, 'node_modules/@musistudio/llms'));
  return process.platform === 'linux' && existsSync(opencodexMain) && existsSync(bun);
}

/** Starts @musistudio/llms. Its entry for `import` does not load, but that for `require` does. It does not tell its port, so it is given one. */
export async function llms({ upstream }: Setup): Promise<string> {
  const { default: Server } = createRequire(folder)('@musistudio/llms') as {
    default: new (options: object) => { start: () => Promise<void> };
  };
  // llms takes the part of a model's name before a comma for the name of the provider.
  const providers = models.map((name) => ({
    name,
    api_base_url: `${upstream}/responses`,
    api_key: 'any',
    models: [name],
    transformer: { use: ['openai-responses'] },
  }));
  const port = 10_197;
  const initialConfig = { HOST: '127.0.0.1', PORT: String(port), LOG: false, providers };
  void new Server({ useJsonFile: false, initialConfig, logger: false }).start();
  return answers(`http://127.0.0.1:${port}/v1`, '@musistudio/llms');
}

/** The process of Bun; undefined in the processes of other servers. */
let bunPid: number | undefined;

/** Starts opencodex. It keeps its settings in a home folder, which is made for it here, and listens at a fixed port. */
export async function opencodex({ upstream }: Setup): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'turnwire-peer-'));
  const homes = { HOME: home, OPENCODEX_HOME: join(home, '.opencodex'), CODEX_HOME: join(home, '.codex') };
  for (const path of [homes.OPENCODEX_HOME, homes.CODEX_HOME]) mkdirSync(path);
  const port = 10_196;
  const provider = { adapter: 'openai-responses', baseUrl: upstream, apiKey: 'any', models, defaultModel: 'any' };
  const providers = { upstream: { ...provider, allowPrivateNetwork: true } };
  const config = { port, websockets: true, defaultProvider: 'upstream', providers };
  writeFileSync(join(homes.OPENCODEX_HOME, 'config.json'), JSON.stringify(config));
  const env = { PATH: process.env['PATH'], ...homes };
  const child = spawn(bun, [opencodexMain, 'start'], { env, stdio: 'ignore' });
  bunPid = child.pid;
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  });
  return answers(`http://127.0.0.1:${port}/v1`, 'opencodex');
}

/** CPU time and memory of the process of Bun; undefined where there is none. */
export function usageOfBun(): { cpuUs: number; rssMb: number } | undefined {
  if (bunPid === undefined) return undefined;
  const stat = readFileSync(`/proc/${bunPid}/stat`, 'utf8');
  // The fields behind the name of the program, which stands in brackets: 14 and 15 are the ticks of user and system, 24 the pages in memory.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { cpuUs: (field(14) + field(15)) * usPerTick, rssMb: (field(24) * pageBytes) / 2 ** 20 };
}

/** The microseconds of a tick, and below the bytes of a page. Linux has these on each machine that Bun runs on. */
const usPerTick = 10_000;
const pageBytes = 4096;

/** Resolves once the server answers. */
async function answers(url: string, name: string): Promise<string> {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100)))
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return url;
  throw new Error(`${name} does not listen`);
}
