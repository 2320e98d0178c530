import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogName } from '../../../config/toolset.js';
import type { Mcp } from './settings.js';

/** A server with its `config` in a file, which Docker reads; and what removes the file again. */
export interface ConfiguredServer {
  settings: Mcp;
  remove: () => Promise<void>;
}

/** Puts the `config` of a server of the Docker MCP catalog into a file that the user alone can read. JSON is YAML. */
export async function withConfigFile(settings: Mcp): Promise<ConfiguredServer> {
  const { config, ref, args = [] } = settings;
  if (config === undefined || ref === undefined) return { settings, remove: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-'));
  const file = join(folder, 'config.yaml');
  await writeFile(file, JSON.stringify({ [catalogName(ref)]: config }), { mode: 0o600 });
  return {
    settings: { ...settings, args: [...args, '--config', file] },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
