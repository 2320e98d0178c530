import { startEmulator, startLink } from '@turnwire/emulator';
import { keyAt } from '../options/endpoint-key.js';
import { UsageError } from '../process/usage-error.js';
import type { Script } from '@turnwire/emulator';
import type { Io } from '../process/io.js';

/** The server that the loops run against. */
export interface Endpoint extends AsyncDisposable {
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  /** True where tokens cost money. */
  billed: boolean;
  inWords: string;
}

export interface EndpointOptions {
  url?: string;
  model?: string;
  /** The environment variable that holds the key. */
  keyFrom?: string;
  /** The round trip of the emulator's link, in milliseconds. */
  rtt?: number;
}

const defaultRttMs = 40;

/**
 * The user's own endpoint, or an emulator over a link.
 *
 * @throws UsageError
 */
export function endpointOf(io: Io, options: EndpointOptions): Endpoint | Promise<Endpoint> {
  const { url, model, keyFrom, rtt } = options;
  if (url === undefined) {
    if (keyFrom !== undefined || model !== undefined)
      throw new UsageError('--model and --key-from belong to an endpoint: name it with --url');
    return emulated(rtt ?? defaultRttMs);
  }
  if (rtt !== undefined) throw new UsageError("--rtt is the round trip of the emulator's link; --url has its own");
  if (model === undefined) throw new UsageError('a model is needed at --url: name it with --model');
  const origin = originOf(url);
  return {
    baseUrl: url,
    apiKey: keyAt(io, url, keyFrom)?.key,
    model,
    billed: true,
    inWords: `${model} at ${origin}`,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The origin of a URL, without its path, query and credentials, which may be secret. */
function originOf(url: string): string {
  if (URL.canParse(url)) return new URL(url).origin;
  throw new UsageError('--url must be a base URL with its version, such as https://api.openai.com/v1');
}

/** Answers each turn with one more call, without an end. */
const script: Script = {
  turns: [{ calls: [{ name: 'read_part', arguments: { part: 1 } }] }],
  after: 'repeat',
};

async function emulated(rttMs: number): Promise<Endpoint> {
  const emulator = await startEmulator({ script });
  const link = await startLink({ to: emulator.port, rttMs });
  return {
    baseUrl: emulator.url.replace(`:${emulator.port}/`, `:${link.port}/`),
    apiKey: undefined,
    model: 'emulated',
    billed: false,
    inWords: `the emulator, over a simulated round trip of ${rttMs} ms`,
    [Symbol.asyncDispose]: async () => {
      await link.close();
      await emulator.close();
    },
  };
}
