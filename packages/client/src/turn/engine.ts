import type { ChainMemory } from '../continuation/memory.js';
import type { Clock } from '../base/clock.js';
import type { Diagnostics } from '../diagnostics.js';
import type { TransportChoice } from '../options.js';
import type { ProviderLimits } from '../protocol/limits.js';
import type { Placement } from '../pool/placement.js';
import type { Usage } from '../protocol/response.js';
import type { Secrets } from '../protocol/errors/secrets.js';
import type { Settings } from '../settings/settings.js';
import type { Transport } from '../transport/transport.js';
import type { Breaker } from './recovery/breaker.js';
import type { ExpiringModels } from './recovery/expiring-models.js';

/** What the turns of a client share. */
export interface Engine {
  transports: Readonly<Record<'websocket' | 'sse', Transport>>;
  clock: Clock;
  /** From 0 on, below 1: for waits that must not fall together. */
  random: () => number;
  diagnostics: Diagnostics;
  memory: ChainMemory;
  /** What no error may hold. */
  secrets: Secrets;
  breaker: Breaker;
  /** Models whose streams the server has refused: calls that need none go as plain HTTP. */
  streamRefusals: ExpiringModels;
  /** Models for which the server has ignored `previous_response_id`: their turns go in full. */
  ignoredIds: ExpiringModels;
  limits: ProviderLimits;
  choice: TransportChoice;
  timeouts: Settings['timeouts'];
  recovery: Settings['recovery'];
  /** `apiKey` or `headers` is a function: asked again, it may give another identity. */
  credentialIsAsked: boolean;
  /** POSTs go by a fetch of the caller's. */
  usesFetch: boolean;
  /** A connection that can take a turn now holds this response. */
  holds: (responseId: string) => boolean;
  /** Whether a turn that may dial nothing finds an open connection to wait for. */
  canServe: (placement: Placement) => boolean;
  /** A turn goes by SSE instead of a WebSocket: `why` is told to the user, once for each `key`. */
  onFallback: (key: string, why: string) => void;
  /** The server takes `previous_response_id` and ignores it: told to the user, once. */
  onIgnoredId: () => void;
  /** Called for each response that has ended. */
  onUsage: (usage: Usage) => void;
}
