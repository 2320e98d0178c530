import { maxFrameBytes, openAiMaxAgeMs } from '../base/bounds.js';

/** What a provider's WebSocket allows, as far as this client must know it before it sends. */
export interface ProviderLimits {
  /** The provider ends a connection at this age, in milliseconds, also in the middle of a response (P74, P81). */
  ageLimitMs: number;
  /** The largest frame we send, in bytes; what is larger goes by SSE (P31, P88). */
  maxFrameBytes: number;
  /** The provider refuses `instructions` together with `previous_response_id` (P12). */
  idExcludesInstructions: boolean;
  /** A response that the provider has not stored can be continued on its own connection (P71). */
  continuesUnstored: boolean;
  /** The responses of the provider name the `previous_response_id` that they continue: a response that names none has ignored it. */
  echoesPreviousId: boolean;
  /** The provider knows `generate: false` (P38). */
  warmUp: boolean;
  /** Named lanes, where the provider has them; undefined means one turn at a time (P44, P83). */
  lanes: LaneLimits | undefined;
}

/** The limits of the lanes of one connection. */
export interface LaneLimits {
  /** Turns that run at the same time. */
  inFlight: number;
  /** Lane names in the life of the connection; a name that is used again counts once. */
  names: number;
}

const minute = 60_000;
const mebibyte = 1024 * 1024;

/** The limits of api.openai.com, and of every host that is not listed: lanes are used only where the caller asks for them. */
const defaultLimits: ProviderLimits = {
  ageLimitMs: 60 * minute,
  maxFrameBytes,
  lanes: { inFlight: 16, names: 32 },
  idExcludesInstructions: false,
  continuesUnstored: true,
  echoesPreviousId: true,
  warmUp: true,
};

/** The limits of providers that differ from the default, by host name. */
const providers: ReadonlyMap<string, ProviderLimits> = new Map([
  [
    'api.x.ai',
    {
      ...defaultLimits,
      ageLimitMs: 25 * minute,
      lanes: undefined,
      idExcludesInstructions: true,
      continuesUnstored: false,
    },
  ],
  [
    'ai-gateway.vercel.sh',
    {
      ...defaultLimits,
      ageLimitMs: 13 * minute,
      maxFrameBytes: 4 * mebibyte - 16_384,
      lanes: undefined,
      warmUp: false,
    },
  ],
]);

/** Azure: every resource has a host of its own (P11). */
const azure: ProviderLimits = { ...defaultLimits, lanes: undefined };

export function limitsOf(host: string): ProviderLimits {
  return providers.get(host) ?? (host.endsWith('.openai.azure.com') ? azure : defaultLimits);
}

/**
 * No new turn on a connection older than this, in milliseconds: a turn that begins there has time for its longest silence, or for a quarter of the
 * provider's limit where that is less.
 */
export function maxAgeOf(host: string, idleMs: number): number {
  if (host === 'api.openai.com') return openAiMaxAgeMs;
  const { ageLimitMs } = limitsOf(host);
  return ageLimitMs - Math.min(idleMs, ageLimitMs / 4);
}
