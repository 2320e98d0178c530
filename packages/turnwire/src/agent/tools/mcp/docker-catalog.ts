import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../base/abort.js';
import { catalogName } from '../../../config/toolset.js';
import type { Surroundings } from '../toolset.js';
import type { Mcp } from './settings.js';
import { openHttp, textOf } from './transports/http.js';

/** The address of the catalog, as Docker publishes it. */
const published = 'https://desktop.docker.com/mcp/catalog/v3/catalog.json';
/** The most bytes of the catalog that are read. */
const catalogLimit = 64 * 1024 ** 2;
const catalogMs = 30_000;

/** The part of the catalog that lists the secrets of each server. */
const catalogSchema = z.object({
  registry: z.record(
    z.string(),
    z.object({
      secrets: z.array(z.object({ name: z.string(), env: z.string() })).nullish(),
      remote: z.object({ url: z.string() }).nullish(),
      type: z.string().nullish(),
    }),
  ),
});

/**
 * Files with the `config` and the `env` of a server of the Docker MCP catalog, readable by the user alone; `docker` is given their paths. Other servers have
 * no such files.
 */
export class CatalogFiles {
  readonly #written: Mcp;
  readonly #around: Surroundings;
  #folder: string | undefined;
  #settings: Mcp | undefined;

  constructor(written: Mcp, around: Surroundings) {
    this.#written = written;
    this.#around = around;
  }

  /** The settings of the server with the paths of its files, which are written once. @throws Error that says why "env" cannot reach the server */
  async settings(): Promise<Mcp> {
    return (this.#settings ??= await this.#write());
  }

  async remove(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(): Promise<Mcp> {
    const { config, env = {}, ref, args = [] } = this.#written;
    const hasSecrets = Object.keys(env).length > 0;
    if (ref === undefined || (config === undefined && !hasSecrets)) return this.#written;
    const name = catalogName(ref);
    const secrets = hasSecrets ? await secretLines(name, await this.#around.expand(env), this.#around) : undefined;
    const folder = (this.#folder ??= await mkdtemp(join(tmpdir(), 'turnwire-')));
    const given = [...args];
    const add = async (option: string, file: string, text: string): Promise<void> => {
      const path = join(folder, file);
      await writeFile(path, text, { mode: 0o600 });
      given.push(option, path);
    };
    // JSON is YAML.
    if (config !== undefined) await add('--config', 'config.yaml', JSON.stringify({ [name]: config }));
    if (secrets !== undefined) await add('--secrets', 'secrets.env', secrets);
    return { ...this.#written, args: given };
  }
}

/**
 * The secrets of a server in the format of Docker's gateway: under their names in Docker, which the catalog gives for each variable.
 *
 * @throws Error that says which of them is wrong, without its value
 */
async function secretLines(
  name: string,
  values: Readonly<Record<string, string>>,
  { dockerCatalog = published, opening }: Surroundings,
): Promise<string> {
  const { registry } = await readCatalog(dockerCatalog, opening);
  const server = Object.hasOwn(registry, name) ? registry[name] : undefined;
  if (server === undefined) throw new Error(`the Docker MCP catalog has no server ${name}`);
  if (server.type === 'remote')
    throw new Error(
      `"env" does not reach it: ${name} is elsewhere, at ${server.remote?.url ?? 'an address of its own'}; leave "env" out, or reach it by "remote" with "headers"`,
    );
  const wanted = server.secrets ?? [];
  const names = wanted.map(({ env }) => env);
  const lines = new Map<string, string>();
  for (const [key, value] of Object.entries(values)) {
    const secret = wanted.find((each) => each.env === key || each.name === key);
    if (secret === undefined)
      throw new Error(
        wanted.length === 0
          ? `"env" has ${key}, and ${name} takes no secrets; remove it`
          : `"env" has ${key}, which is no secret of ${name}; it takes ${names.join(', ')}`,
      );
    if (/[\r\n]/.test(value)) throw new Error(`${key} must be text in one line`);
    lines.set(secret.name, `${secret.name}=${value}\n`);
  }
  // Once the gateway is given a file, it looks for the other secrets of the server nowhere else.
  const missing = wanted.find((each) => !lines.has(each.name));
  if (missing !== undefined)
    throw new Error(
      `${name} needs ${missing.env}, too; add it to "env", or leave "env" out and use "docker mcp secret"`,
    );
  return [...lines.values()].join('');
}

async function readCatalog(address: string, opening: AbortSignal | undefined): Promise<z.output<typeof catalogSchema>> {
  const limit = AbortSignal.timeout(catalogMs);
  const signal = opening === undefined ? limit : AbortSignal.any([opening, limit]);
  const http = openHttp();
  try {
    const response = await http.request(new URL(address), {
      method: 'GET',
      headers: { accept: 'application/json' },
      signal,
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return catalogSchema.parse(JSON.parse(await textOf(response, catalogLimit, signal)));
  } catch (error) {
    opening?.throwIfAborted();
    const why = error instanceof z.ZodError || error instanceof SyntaxError ? 'it is no catalog' : messageOf(error);
    throw new Error(
      `the Docker MCP catalog (${address}), which says what "env" is for, cannot be read: ${why}; without "env" the server takes what "docker mcp secret" has`,
      { cause: error },
    );
  } finally {
    http.close();
  }
}
