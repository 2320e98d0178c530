import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder for one test. */
export async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire config '));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A file `agent.yaml` with this content. */
export async function agentFile(t: TestContext, content: string | Uint8Array): Promise<string> {
  const path = join(await scratch(t), 'agent.yaml');
  await writeFile(path, content);
  return path;
}
