// Codex with a provider of its configuration file, as its users set it up.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { bin, home, run, type Ended } from './client.js';

/** Runs `codex` with these arguments, in the same home each time. */
export type Codex = (args: readonly string[]) => Promise<Ended>;

export async function configuredCodex(t: TestContext, baseURL: string, webSockets: boolean): Promise<Codex> {
  const folder = await home(t);
  const work = join(folder, 'work');
  await mkdir(work);
  await writeFile(
    join(folder, 'config.toml'),
    [
      'model = "gpt-5.4"',
      'model_provider = "tested"',
      'approval_policy = "never"',
      'sandbox_mode = "danger-full-access"',
      '[model_providers.tested]',
      'name = "tested"',
      `base_url = "${baseURL}"`,
      'env_key = "OPENAI_API_KEY"',
      'wire_api = "responses"',
      `supports_websockets = ${webSockets}`,
      '',
    ].join('\n'),
  );
  return (args) => run(t, bin('codex'), args, work, { CODEX_HOME: folder, OPENAI_API_KEY: 'any', NO_COLOR: '1' });
}
