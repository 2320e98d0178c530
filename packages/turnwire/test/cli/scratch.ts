import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder for one test, with these files in it. Its name has a blank, as users' folders do. */
export async function scratch(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'turnwire cli ')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** An agent that needs no key: the command starts an emulator for it. */
export const emulated = `
agents:
  root:
    model: emulator/scripted
    instruction: Do as you are told.
    toolsets: [{ type: filesystem }, { type: shell }]
`;

/** An agent whose model is served at `baseUrl`, by a provider of its own that needs no key. */
export function agentAt(baseUrl: string, transport: 'websocket' | 'sse' | 'auto', more = ''): string {
  return `
models:
  there:
    provider: mine
    model: any
    base_url: ${baseUrl}
    ${more}
    provider_opts: { transport: ${transport} }
agents:
  root:
    model: there
    fallback: { retries: -1 }
    toolsets: [{ type: shell }]
`;
}
