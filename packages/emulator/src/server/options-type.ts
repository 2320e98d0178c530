import type { Clock } from '../base/clock.js';
import type { CredentialRule } from '../base/tenant.js';
import type { FaultRule } from '../faults/fault-rule.js';
import type { AccessOptions, TlsOptions } from '../listener/options.js';
import type { ReplayOptions } from '../replay/replay-options.js';
import type { Script } from '../sources/script/script-type.js';
import type { AgeLimit, DialectName } from '../wire/dialect.js';

/** The limits of an emulator. */
export interface EmulatorLimits {
  /**
   * The age in milliseconds at which a socket ends with `websocket_connection_limit_reached`; `ageLimit` says when exactly.
   * @default the dialect's: 60 minutes; xai 25, vercel 13
   */
  readonly connectionAgeMs?: number | undefined;
  /**
   * The time in milliseconds without a frame, ping or pong after which a socket is closed with 1001; 0: never.
   * @default the dialect's: 0; vercel 5 minutes
   */
  readonly idleMs?: number | undefined;
  /** The size in bytes from which a text frame closes its socket with 1009, without an event. @default 16 MiB; vercel 4 */
  readonly frameBytes?: number | undefined;
  /** The number of different `stream_id`s that a socket may use in its life; 0: the field is refused. @default 32 for openai, else 0 */
  readonly lanes?: number | undefined;
  /** The number of turns of one socket that run at the same time, each on a lane of its own. Further turns wait. @default 16 for openai, else 1 */
  readonly inFlightTurns?: number | undefined;
  /** The number of accepted steers that one response may have. A further one fails. The limit of a real server is not known. @default 16 */
  readonly pendingSteers?: number | undefined;
  /** The size in bytes above which an HTTP body is refused with status 413. @default 64 MiB */
  readonly bodyBytes?: number | undefined;
  /** The number of creates that may wait on one socket. A further one closes it with 1008. The limit of a real server is not known. @default 64 */
  readonly queuedTurns?: number | undefined;
  /** The bytes of the creates that may wait on one socket. @default 64 MiB */
  readonly queuedBytes?: number | undefined;
  /** The number of responses that can be continued or fetched, those of sockets included. The oldest are dropped first. @default 10_000 */
  readonly storedResponses?: number | undefined;
  /** The bytes of these responses, as JSON. A longer chain cannot be continued. @default 128 MiB */
  readonly storedBytes?: number | undefined;
  /** The number of entries in each of the journal's lists. @default 10_000 */
  readonly journalEntries?: number | undefined;
  /**
   * The bytes of the journal's turns: those received and answered, and 8 for each item of a turn's transcript. The oldest turns are dropped first.
   * Parsed, the turns take about three times as much memory. @default 128 MiB
   */
  readonly journalBytes?: number | undefined;
}

/** The options of `startEmulator`. All have defaults. An unknown or invalid option is an `EmulatorError`. */
export interface EmulatorOptions extends AccessOptions {
  /** The port to listen on; 0 takes any free port. @default 0 */
  readonly port?: number | undefined;
  /** The address to listen on. The emulator has no authentication, so keep it on this machine. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** The script: the path of a YAML file, or its content as an object. @default none: every turn is an echo */
  readonly script?: string | Script | undefined;
  /** The folder of `NAME.jsonl` files that answer requests with `model: 'recording/NAME'`. @default none */
  readonly recordings?: string | undefined;
  /**
   * The models that the emulator knows. Any other model is refused with `model_not_found`, as by a real server. The models of recordings are
   * always known. @default any model is answered
   */
  readonly models?: readonly string[] | undefined;
  /**
   * A recording of whole exchanges that answers all requests instead of the other sources: requests, sockets, errors and closes as recorded.
   * Of `faults`, those that strike a connection before a turn still apply. @default none
   */
  readonly replay?: ReplayOptions | undefined;
  /**
   * The rules by which faults strike: a list, or the path of a YAML file with the one key `faults`. The faults that a request asks for
   * strike first, then these rules, then those of the script. @default none
   */
  readonly faults?: string | readonly FaultRule[] | undefined;
  readonly limits?: EmulatorLimits | undefined;
  /**
   * Whether tests in any language can read the journal, replace the script and end the emulator at `/emulator/…`. The same rules for `Host` and
   * `Origin` apply as for the API. @default true
   */
  readonly control?: boolean | undefined;
  /** Called with a line, without contents, for each HTTP request and each end of a turn. @default none */
  readonly log?: ((line: string) => void) | undefined;
  /** The pace of answers for which a script sets none, recordings and echoes included. @default at once */
  readonly latency?:
    | {
        /** Milliseconds from the request to the first item. @default 0 */
        readonly firstTokenMs?: number | undefined;
        /** Deltas a second; a delta is a word or less. @default all at once */
        readonly tokensPerSecond?: number | undefined;
        /** Milliseconds before the first item for every 1,000 input tokens that are not cached. @default 0 */
        readonly msPer1000UncachedTokens?: number | undefined;
        /** The largest random change of each wait, as a part of the wait from 0 to 1. `seed` and the number of the turn determine it. @default 0 */
        readonly jitter?: number | undefined;
      }
    | undefined;
  /**
   * The time for all waits and age limits: `{ speed: 60 }` runs 60 times as fast as the machine's time, a `ManualClock` stands still until a test
   * moves it, and any object with `now` and `after` can be given. @default { speed: 1 }
   */
  readonly clock?: Clock | { readonly speed: number } | undefined;
  /** The provider whose server is imitated where servers differ: lanes, limits, error shapes, eviction, `[DONE]`. @default 'openai' */
  readonly dialect?: DialectName | undefined;
  /**
   * When a socket beyond its age limit ends: `next-turn` at its next create, which is refused; `idle` as soon as no turn runs; `mid-turn` at once.
   * @default the dialect's: next-turn; xai idle, vercel mid-turn (without an error)
   */
  readonly ageLimit?: AgeLimit | undefined;
  /**
   * Sends pings on every socket, and closes it with 1011 if no pong comes in time. Both times are in milliseconds; one that is left out is 20,000.
   * @default no pings: whether api.openai.com sends any is not known
   */
  readonly pings?: { readonly everyMs?: number | undefined; readonly timeoutMs?: number | undefined } | undefined;
  /**
   * Whether deltas are padded to one length unless `stream_options.include_obfuscation` is false, as by the real API. By default they are padded
   * only if that field is true, so that runs are equal byte for byte. @default false
   */
  readonly obfuscation?: boolean | undefined;
  /**
   * Determines all ids and the jitter, so that two runs are equal byte for byte. @default a random one: no two emulators share an id
   */
  readonly seed?: string | number | undefined;
  /**
   * The certificate and key for TLS, both in PEM; `createTestAuthority` makes them for tests. Codex with a ChatGPT login requires TLS.
   * @default none: plain HTTP
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * `separate`: responses and conversations are found only with the credential that made them (`Authorization`, `api-key`, `x-api-key`), as with a
   * real server; `shared`: with any credential. No credential is refused. @default 'separate'
   */
  readonly credentials?: CredentialRule | undefined;
}
