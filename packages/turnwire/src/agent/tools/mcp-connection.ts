import { createRequire } from 'node:module';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport, SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CommandTransport } from './mcp-command.js';
import type { Mcp } from './mcp.js';
import type { Surroundings } from './toolset.js';

/** From the start of a server to the end of its introduction, in milliseconds: `npx` may have to download it first. */
const startTime = 60_000;

const signIn =
  'it wants a sign-in, or refuses the one it was given (status 401); turnwire does no sign-in by OAuth: get a token from its provider, and send it by "headers" of "remote", such as Authorization: Bearer ${env.NAME}';

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };

/**
 * Connects to an MCP server: one that is started here, or one elsewhere, over streamable HTTP or, with an old server, SSE.
 *
 * @throws Error that names the server and says what went wrong. It holds no header and no variable.
 */
export async function connectMcp(settings: Mcp, surroundings: Surroundings, label: string): Promise<Client> {
  const failures: string[] = [];
  for (const transport of await transports(settings, surroundings)) {
    const client = new Client({ name: 'turnwire', version });
    try {
      await client.connect(transport, { timeout: startTime });
      return client;
    } catch (error) {
      await client.close().catch(() => undefined);
      // Nor would the other transport do; and what the server says may hold what it was sent.
      if (statusOf(error) === 401)
        throw new Error(`the MCP server ${label} cannot be used: ${signIn}`, { cause: new Error('status 401') });
      const said = transport instanceof CommandTransport ? transport.lastWords : '';
      failures.push(
        `${error instanceof Error ? error.message : String(error)}${said === '' ? '' : ` (it said: ${said})`}`,
      );
    }
  }
  throw new Error(`the MCP server ${label} cannot be used: ${failures.join('; then: ')}`);
}

function statusOf(error: unknown): number | undefined {
  return error instanceof StreamableHTTPError || error instanceof SseError ? error.code : undefined;
}

async function transports(settings: Mcp, surroundings: Surroundings) {
  const { command, args = [], remote } = settings;
  if (remote === undefined) {
    const { env, expand, workspace } = surroundings;
    const cwd = await workspace.resolve(settings.working_dir ?? '.');
    return [new CommandTransport(command ?? '', args, { cwd, env: { ...env, ...(await expand(settings.env)) } })];
  }
  const url = new URL(remote.url);
  // Headers go to this origin alone: a redirect to another one is refused by the SDK.
  const options = { requestInit: { headers: await surroundings.expand(remote.headers) } };
  const streamable = (): Transport => new StreamableHTTPClientTransport(url, options);
  const sse = (): Transport => new SSEClientTransport(url, options);
  return { streamable: [streamable()], sse: [sse()], either: [streamable(), sse()] }[remote.transport_type ?? 'either'];
}
