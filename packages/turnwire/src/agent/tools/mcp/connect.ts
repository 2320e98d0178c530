import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { serverLabel } from '../../../config/toolset.js';
import { openInBrowser } from '../everyday/browser.js';
import type { Surroundings } from '../toolset.js';
import { Connection, type Introduction, type Serving } from './connection.js';
import { elicit } from './elicitation.js';
import { causeOf, McpFailure, unansweredWithin } from './failure.js';
import { type Http, openHttp } from './transports/http.js';
import { LegacySseTransport } from './transports/legacy-sse.js';
import { planOf } from './lifecycle.js';
import type { Mcp } from './settings.js';
import { SignIn, SignInFailure } from './sign-in/sign-in.js';
import { StdioTransport } from './transports/stdio.js';
import { StreamableHttpTransport } from './transports/streamable-http.js';
import type { Transport } from './transports/transport.js';

const refusedToken =
  'it refuses the token that "headers" of "remote" has for it (status 401); put one there that is valid, or none, to sign in by OAuth';

const { version } = createRequire(import.meta.url)('../../../../package.json') as { version: string };

export interface Connected {
  connection: Connection;
  introduction: Introduction;
  /** Asks the user to sign in, for a call that is refused without; undefined where a sign-in cannot help. */
  signIn: SignIn | undefined;
  /** Removes the values of headers and variables from a text: servers repeat them. */
  hide: (text: string) => string;
}

/**
 * Connects to an MCP server: one that is started here, or a remote one, over streamable HTTP or, for an old server, SSE.
 *
 * @throws Error that says what went wrong, without any header or variable; or the reason of `signal`
 */
export async function connect(settings: Mcp, surroundings: Surroundings, signal?: AbortSignal): Promise<Connected> {
  const { remote, env } = settings;
  const { startMs } = planOf(settings.lifecycle);
  const serving = servedBy(settings, surroundings);
  const given = await surroundings.expand(remote === undefined ? env : remote.headers);
  const signIn = await signInAt(settings, given, surroundings);
  const hide = (text: string): string => without([...Object.values(given), ...(signIn?.secrets ?? [])], text);
  const failures: string[] = [];
  const attempt = async (open: () => Transport): Promise<Connected> => ({
    ...(await within(startMs, signal, (limit) => Connection.open(open(), { client, serving }, limit))),
    signIn,
    hide,
  });
  for (const open of transports(settings, given, surroundings, signIn)) {
    try {
      return await attempt(open).catch(async (error: unknown) => {
        signal?.throwIfAborted();
        if (isUnauthorized(error) && signIn === undefined) throw new SignInFailure(refusedToken);
        if (signIn === undefined || !(error instanceof McpFailure) || !signIn.mends(error)) throw error;
        // The sign-in is outside of the time limit: the user may take longer than a server may.
        await signIn.ask(signal ?? new AbortController().signal);
        return attempt(open);
      });
    } catch (error) {
      signal?.throwIfAborted();
      // The other transport would fail in the same way.
      if (error instanceof SignInFailure) throw new Error(hide(error.message), { cause: error });
      if (isUnauthorized(error)) throw new Error('it does not take the sign-in (status 401)', { cause: error });
      failures.push(hide(error instanceof McpFailure ? error.message : causeOf(error)));
    }
  }
  throw new Error([...new Set(failures)].join('; then: '));
}

/** The sign-in for a remote server; none where the file has a token for it. */
async function signInAt(
  settings: Mcp,
  given: Readonly<Record<string, string>>,
  { askUser, browse, env, home, warn, expand }: Surroundings,
): Promise<SignIn | undefined> {
  const { remote } = settings;
  const hasToken = Object.keys(given).some((name) => name.toLowerCase() === 'authorization');
  if (remote === undefined || hasToken) return undefined;
  const { oauth } = remote;
  const secret = oauth?.clientSecret === undefined ? {} : await expand({ clientSecret: oauth.clientSecret });
  return new SignIn({
    label: serverLabel(settings),
    url: new URL(remote.url),
    oauth: oauth && { ...oauth, ...secret },
    home,
    askUser,
    browse: browse ?? ((address) => openInBrowser(address, env)),
    tell: (message) => warn?.(message),
  });
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof McpFailure && error.status === 401;
}

const client = { name: 'turnwire', version };

/** The requests that a server may send during a call: questions to the user, where one is there. */
function servedBy(settings: Mcp, { askUser }: Surroundings): Serving | undefined {
  if (askUser === undefined) return undefined;
  return {
    capabilities: { elicitation: {} },
    serve: (method, params, signal) =>
      method === 'elicitation/create' ? elicit(serverLabel(settings), params, askUser, signal) : undefined,
  };
}

/** Bounds work in time, in addition to the caller's signal. */
async function within<Result>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(signal?.reason);
  const timer = setTimeout(() => limit.abort(unansweredWithin(ms)), ms);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** A text without these values. A header consists of a scheme and a token, and servers may repeat either. */
function without(values: readonly string[], text: string): string {
  const told = values.flatMap((value) => [value, ...value.split(/\s+/)]).filter(({ length }) => length >= 6);
  return told.reduce((left, value) => left.replaceAll(value, '[hidden]'), text);
}

/** The transports in the order in which they are tried. */
function transports(
  settings: Mcp,
  given: Readonly<Record<string, string>>,
  { env, workspace }: Surroundings,
  signIn: SignIn | undefined,
): (() => Transport)[] {
  const { command = '', args = [], remote } = settings;
  if (remote === undefined) {
    // The file may start a server in any folder.
    const cwd = resolve(workspace.root, settings.working_dir ?? '.');
    // A server of Docker's catalog gets its variables by a file: the environment is that of the `docker` command.
    const variables = settings.ref === undefined ? { ...env, ...given } : env;
    return [() => new StdioTransport({ command, args, cwd, env: variables, from: settings.version })];
  }
  const url = new URL(remote.url);
  const http = (): Http => (signIn === undefined ? openHttp() : signIn.over(openHttp()));
  const streamable = (): Transport => new StreamableHttpTransport(url, given, http());
  const sse = (): Transport => new LegacySseTransport(url, given, http());
  return { streamable: [streamable], sse: [sse], either: [streamable, sse] }[remote.transport_type ?? 'either'];
}
