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
export interface ClientContext {
  transports: Readonly<Record<'websocket' | 'sse', Transport>>;
  clock: Clock;
  /** A random number from 0 up to 1, for waits that must not fall together. */
  random: () => number;
  diagnostics: Diagnostics;
  memory: ChainMemory;
  /** Credentials, which no error may hold. */
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
  /** `apiKey` or `headers` is a function, which may give another identity next time. */
  credentialIsAsked: boolean;
  /** POSTs go by a fetch of the caller's. */
  usesFetch: boolean;
  /** A connection that can take a turn now holds this response. */
  holds: (responseId: string) => boolean;
  /** Whether an open connection can serve this turn without a dial. */
  canServe: (placement: Placement) => boolean;
  /** A turn goes by SSE instead of a WebSocket: the user is warned with `why`, once for each `key`. */
  onFallback: (key: string, why: string) => void;
  /** The server takes `previous_response_id` and ignores it: the user is warned once. */
  onIgnoredId: () => void;
  /** Called for each response that has ended. */
  onUsage: (usage: Usage) => void;
}
