import { onAbort } from '../base/abort.js';
import { startDeadline } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { version } from '../version.js';
import type { Clock, Timer } from '../base/clock.js';
import type { ClientOptions } from '../options.js';

/** This client's own name, sent where no other `user-agent` is given. */
export const userAgent = `turnwire/${version} node/${process.versions.node}`;

/** The headers that say who asks. Called at every dial and at every POST. Rejects with the reason of `signal`, even while a function of the caller runs. */
export type IdentityHeaders = (signal: AbortSignal) => Promise<Record<string, string>>;

export interface IdentitySource extends Pick<ClientOptions, 'apiKey' | 'headers' | 'organization' | 'project'> {
  /** How long the functions `apiKey` and `headers` may take, in milliseconds. */
  dialMs: number;
  clock: Clock;
}

/**
 * The identity headers, the same for the upgrade and the POST. An exception of a caller's function, or a value that no header can hold, becomes
 * `credential_failed`, without the value (N1, N17, G6).
 */
export function identityHeadersOf(source: IdentitySource): IdentityHeaders {
  return async (signal) => {
    const { apiKey, headers, organization, project } = source;
    const key = typeof apiKey === 'function' ? await callInTime('apiKey', apiKey, source, signal) : apiKey;
    const custom = typeof headers === 'function' ? await callInTime('headers', headers, source, signal) : headers;
    const all: Record<string, string> = {};
    if (apiKey !== undefined) all['authorization'] = `Bearer ${checkKey(key)}`;
    if (organization !== undefined) all['openai-organization'] = organization;
    if (project !== undefined) all['openai-project'] = project;
    for (const [name, value] of Object.entries(custom ?? {})) {
      const problem = headerProblem(name, value);
      if (problem !== undefined) throw credentialError(problem);
      all[name.toLowerCase()] = value;
    }
    return all;
  };
}

/** What is wrong with a key, as a sentence without the key; undefined for a valid one. */
export function keyProblem(key: unknown): string | undefined {
  if (typeof key !== 'string') return `is ${key === null ? 'null' : typeof key} instead of a string`;
  if (key === '') return 'is empty';
  if (/[\r\n]/.test(key)) return 'contains a line break: was it read from a file with a newline at its end?';
  if (key.trim() !== key) return 'begins or ends with white space';
  if (!printable.test(key)) return 'contains characters that a header cannot hold';
  return undefined;
}

/** What is wrong with a header, as a sentence without its value; undefined for a valid one (N17). */
export function headerProblem(name: string, value: unknown): string | undefined {
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return `headers: ${JSON.stringify(name)} is no header name`;
  if (connectionHeaders.test(name))
    return `headers: ${name} is about the connection, which is the client's: leave it out`;
  const problem = valueProblem(value);
  return problem === undefined ? undefined : `headers: ${name} ${problem}`;
}

/** Headers that would change how the request itself is read. */
const connectionHeaders =
  /^(connection|content-length|keep-alive|sec-websocket-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** What is wrong with the value of a header, without its name. */
export function valueProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return `is ${value === null ? 'null' : typeof value} instead of a string`;
  return printable.test(value) ? undefined : 'contains characters that a header cannot hold';
}

const printable = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

async function callInTime<Value>(
  name: string,
  source: () => Value | Promise<Value>,
  { dialMs, clock }: IdentitySource,
  signal: AbortSignal,
): Promise<Value> {
  signal.throwIfAborted();
  let timer: Timer | undefined;
  let release = (): void => {};
  const inTime = new Promise<never>((_, reject) => {
    timer = startDeadline(clock, dialMs, () =>
      reject(credentialError(`${name}: the function gave no answer within ${dialMs} ms (timeouts.dialMs)`)),
    );
    release = onAbort(signal, reject);
  });
  try {
    return await Promise.race([source(), inTime]);
  } catch (cause) {
    if (cause instanceof TurnwireError || signal.aborted) throw cause;
    throw new TurnwireError('credential_failed', `${name}: the function failed; its error is this one's cause`, {
      cause,
    });
  } finally {
    timer?.cancel();
    release();
  }
}

function checkKey(key: unknown): string {
  const problem = keyProblem(key);
  if (problem !== undefined) throw credentialError(`apiKey ${problem}`);
  return String(key);
}

function credentialError(message: string): TurnwireError {
  return new TurnwireError('credential_failed', message);
}
