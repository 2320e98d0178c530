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
  const { remote, env } = settings;
  const { opening } = surroundings;
  const given = await surroundings.expand(remote === undefined ? env : remote.headers);
  const failures: string[] = [];
  for (const transport of await transports(settings, given, surroundings)) {
    const client = new Client({ name: 'turnwire', version });
    try {
      await client.connect(transport, { timeout: startTime, ...(opening && { signal: opening }) });
      return client;
    } catch (error) {
      await client.close().catch(() => undefined);
      // Nor would the other transport do.
      if (statusOf(error) === 401) {
        failures.splice(0, Infinity, signIn);
        break;
      }
      const said = transport instanceof CommandTransport ? transport.lastWords : '';
      failures.push(without(Object.values(given), `${wordsOf(error)}${said === '' ? '' : ` (it said: ${said})`}`));
    }
  }
  throw new Error(`the MCP server ${label} cannot be used: ${failures.join('; then: ')}`);
}

/** Servers say what they were sent: a header is its scheme and its token, and either may be repeated. */
function without(values: readonly string[], text: string): string {
  const told = values.flatMap((value) => [value, ...value.split(/\s+/)]).filter(({ length }) => length >= 6);
  return told.reduce((left, value) => left.replaceAll(value, '[hidden]'), text);
}

function wordsOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(error);
  // The SDK leaves it out where the server has said something itself.
  return status === undefined || status < 100 || message.includes(String(status))
    ? message
    : `${message} (status ${status})`;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof StreamableHTTPError || error instanceof SseError ? error.code : undefined;
}

async function transports(settings: Mcp, given: Readonly<Record<string, string>>, { env, workspace }: Surroundings) {
  const { command, args = [], remote } = settings;
  if (remote === undefined) {
    const cwd = await workspace.resolve(settings.working_dir ?? '.');
    return [new CommandTransport(command ?? '', args, { cwd, env: { ...env, ...given } })];
  }
  const url = new URL(remote.url);
  // Headers go to this origin alone: a redirect to another one is refused by the SDK.
  const options = { requestInit: { headers: given } };
  const streamable = (): Transport => new StreamableHTTPClientTransport(url, options);
  const sse = (): Transport => new SSEClientTransport(url, options);
  return { streamable: [streamable()], sse: [sse()], either: [streamable(), sse()] }[remote.transport_type ?? 'either'];
}
