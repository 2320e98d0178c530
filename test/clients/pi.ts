import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { home, installed, newerNode, run, type Ended } from './client.js';
import type { TestContext } from 'node:test';

export const piPackage = '@earendil-works/pi-coding-agent';

interface PiProvider {
  readonly baseUrl: string;
  readonly api: 'openai-responses' | 'openai-codex-responses';
  readonly transport: 'sse' | 'websocket-cached';
  readonly ca?: string;
}

/** Asks pi to use its tool. */
export async function runPi(t: TestContext, { baseUrl, api, transport, ca = '' }: PiProvider): Promise<Ended> {
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
  assert.match(ended.said, /the-tool-ran/);
  assert.match(ended.said, /The tool said so\./);
  return ended;
}
