import { maxFrameBytes, openAiMaxAgeMs } from '../base/bounds.js';

/** What a provider's WebSocket allows, as far as this client must know it before it sends. */
export interface ProviderLimits {
  /** The provider ends a connection at this age, in milliseconds, also in the middle of a response (P74, P81). */
  ageLimitMs: number;
  /** The largest frame we send, in bytes; what is larger goes by SSE (P31, P88). */
  maxFrameBytes: number;
  /** It refuses `instructions` together with `previous_response_id` (P12). */
  idExcludesInstructions: boolean;
  /** A response that it has not stored can be continued on its own connection (P71). */
  continuesUnstored: boolean;
  /** Its responses name the `previous_response_id` that they continue: one that names none has ignored it. */
  echoesPreviousId: boolean;
  /** It knows `generate: false` (P38). */
  warmUp: boolean;
  /** Named lanes, where the provider has them; undefined means one turn at a time (P44, P83). */
  lanes: LaneLimits | undefined;
}

/** Of one connection. */
export interface LaneLimits {
  /** Turns at the same time. */
  inFlight: number;
  /** Names in its whole life; one that is free again counts no second time. */
  names: number;
}

const minute = 60_000;
const mebibyte = 1024 * 1024;

/** For api.openai.com and every host we know nothing of: lanes are used only where the caller asks for them. */
const defaultLimits: ProviderLimits = {
  ageLimitMs: 60 * minute,
  maxFrameBytes,
  lanes: { inFlight: 16, names: 32 },
  idExcludesInstructions: false,
  continuesUnstored: true,
  echoesPreviousId: true,
  warmUp: true,
};

/** By host name. */
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

/** Every resource has a host of its own (P11). */
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
