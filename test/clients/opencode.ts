import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bin, home, run, type Ended } from './client.js';
import type { TestContext } from 'node:test';

interface Configuration {
  readonly provider: { readonly openai: object };
}

/** The block of docs/gateway.md for `opencode.json`, with another address. */
function documentedConfig(baseURL: string): Configuration {
  const page = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
  const [, block] = /`opencode\.json`:\n\n```json\n([^]*?)```/.exec(page) ?? [];
  const address = 'http://127.0.0.1:4000/v1';
  if (block?.includes(address) !== true) throw new Error('docs/gateway.md has no opencode.json with its address');
  return JSON.parse(block.replace(address, baseURL)) as Configuration;
}

/** Asks opencode to use its tool, at a base URL. */
export async function runOpencode(t: TestContext, baseURL: string, webSockets: boolean): Promise<Ended> {
  const folder = await home(t);
  const work = join(folder, 'work');
  await mkdir(work);
  // The WebSocket is for the provider of this name alone, and only with a key that it has stored.
  const data = join(folder, 'DATA', 'opencode');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'auth.json'), JSON.stringify({ openai: { type: 'api', key: 'any' } }));
  const documented = documentedConfig(baseURL);
  const openai = { ...documented.provider.openai, models: { 'gpt-5.4': { name: 'gpt-5.4' } } };
  const configuration = { ...documented, permission: { bash: 'allow' }, provider: { openai } };
  await writeFile(join(work, 'opencode.json'), JSON.stringify(configuration));
  const env = {
    // Its project is where PWD says, not where the process is; elsewhere its provider is "Unexpected server error".
    PWD: work,
    HOME: folder,
    ...Object.fromEntries(['CONFIG', 'DATA', 'CACHE', 'STATE'].map((name) => [`XDG_${name}_HOME`, join(folder, name)])),
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_EXPERIMENTAL_WEBSOCKETS: String(webSockets),
  };
  return run(t, bin('opencode'), ['run', '--model', 'openai/gpt-5.4', 'Use the tool.'], work, env);
}
