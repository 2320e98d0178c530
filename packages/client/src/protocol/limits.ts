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
  maxFrameBytes: 15.5 * mebibyte,
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

/** Where turns of many minutes are usual: as long as the field leaves them there, whatever `idleMs` says (P130). */
const openAiMaxAgeMs = 45 * minute;

/**
 * No new turn on a connection older than this, in milliseconds: a turn that begins there has time for its longest silence, or for a quarter of the
 * provider's limit where that is less.
 */
export function maxAgeOf(host: string, idleMs: number): number {
  if (host === 'api.openai.com') return openAiMaxAgeMs;
  const { ageLimitMs } = limitsOf(host);
  return ageLimitMs - Math.min(idleMs, ageLimitMs / 4);
}

/** One event; images arrive as base64 inside one (P7, P87). Both transports refuse a larger one with `event_too_large`. */
export const maxEventBytes = 64 * mebibyte;

/** Finished output items that a turn keeps, together, for a terminal event that leaves them out; more ends it with `event_too_large`. */
export const maxOutputBytes = 256 * mebibyte;

/** Bytes of events that a turn holds unread before it stops reading; it goes on below half of it. */
export const unreadHighWaterBytes = mebibyte;

/** The same on a lane whose connection other turns use and which is therefore not paused; more ends the turn with `unread_overflow`. */
export const laneUnreadBytes = 16 * mebibyte;

/** While its client closes, a turn that is full waits so long at most for somebody who reads it; in milliseconds. */
export const closingUnreadMs = 10_000;

/**
 * The longest silence of a turn's events, in milliseconds, also while pongs tell that the server lives: no connection lives longer (P81). A longer
 * `timeouts.idleMs` extends it.
 */
export const maxEventSilenceMs = 60 * minute;

/** A POST with a body from so many bytes on asks first whether it is wanted (`Expect: 100-continue`), and waits so long for the answer, in milliseconds. */
export const expectContinueBytes = mebibyte;
export const expectContinueMs = 1000;

/** Bodies of refusals: read this far, for the error they carry. */
export const maxErrorBodyBytes = 65_536;

/** And wait this long for them, in milliseconds. */
export const maxErrorBodyMs = 2000;

/** The head of a proxy's answer to CONNECT, and of a server's to an upgrade. */
export const maxHeadBytes = 16_384;

/** After an `error` event of a response that had begun, its `response.failed` may still come; this long is waited for it, in milliseconds. */
export const failedAfterErrorMs = 250;

/**
 * After a response that was steered, its successor must begin within this time, in milliseconds: the model may still finish an item, and the
 * successor may have to queue (P48).
 */
export const successorMs = 60_000;

/** After a response that stopped for the client's tools, the news of what happens to its steering may still come; in milliseconds (P49). */
export const steerPendingMs = 1000;

/** A slow reader's connection is read on a little at times, for the pings in it: as much at a time, and together at most. */
export const pausedReadBytes = mebibyte;
export const maxPausedReadBytes = 16 * mebibyte;

/** How often, and for how long when nothing comes; in milliseconds. */
export const pausedReadIntervalMs = 1000;
export const pausedReadMs = 20;

/**
 * What was heard within this time needs no validation before it is used again, and the validation takes at most so long; in milliseconds. A plain call,
 * which is never sent twice, uses no connection for HTTP that was silent for longer.
 */
export const trustedSilenceMs = 30_000;
export const validationMs = 2000;

/** The lane of an aborted turn is read on to its terminal event for so long, and over so many bytes; beyond, its connection ends. */
export const laneDrainMs = 30_000;
export const laneDrainBytes = 16 * mebibyte;
