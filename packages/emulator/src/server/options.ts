import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AccessOptions } from '../listener/access.js';
import type { TlsOptions } from '../listener/tls.js';
import type { Clock } from '../base/clock.js';
import { dialectTable, dialectNames, type AgeLimit, type Dialect, type DialectName } from '../wire/dialect.js';
import { EmulatorError } from '../base/errors.js';
import { advice } from '../base/spelling.js';
import type { FaultRule } from '../faults/fault-rule.js';
import type { ReplayOptions } from '../replay/replay-options.js';
import { firstIssue } from '../sources/script/script-problem.js';
import type { Script } from '../sources/script/script-type.js';
import { credentialRules } from '../base/tenant.js';
import { isRecord } from '../wire/wire.js';

const kib = 1024;
const mib = 1024 * kib;
const count = z.int().positive();

const milliseconds = z.number().min(0).max(2_147_483_647);

const limitsSchema = z.strictObject({
  connectionAgeMs: milliseconds.positive().optional(),
  idleMs: milliseconds.optional(),
  frameBytes: count.optional(),
  lanes: z.int().min(0).optional(),
  inFlightTurns: count.optional(),
  pendingSteers: count.default(16),
  bodyBytes: count.default(64 * mib),
  queuedTurns: count.default(64),
  queuedBytes: count.default(64 * mib),
  storedResponses: count.default(10_000),
  storedBytes: count.default(128 * mib),
  journalEntries: count.default(10_000),
  journalBytes: count.default(128 * mib),
});

const optionsSchema = z.strictObject({
  port: z.int().min(0).max(65_535).default(0),
  host: z.string().min(1).default('127.0.0.1'),
  script: z.union([z.string().min(1), z.record(z.string(), z.unknown())]).optional(),
  recordings: z.string().min(1).optional(),
  replay: z
    .strictObject({
      file: z.string().min(1),
      upstream: z.string().optional(),
      onDifference: z.custom<(message: string) => void>((value) => typeof value === 'function').optional(),
      mode: z.enum(['strict', 'loose']).default('strict'),
      timing: z.union([z.enum(['recorded', 'at-once']), z.number().positive().finite()]).default('recorded'),
    })
    .optional(),
  models: z.array(z.string().min(1)).min(1).optional(),
  // Checked like a script, which may hold the same rules: so a fault in the file has its line and column.
  faults: z.union([z.string().min(1), z.array(z.unknown())]).optional(),
  limits: limitsSchema.prefault({}),
  latency: z
    .strictObject({
      firstTokenMs: z.number().min(0).max(3_600_000).optional(),
      tokensPerSecond: z.number().positive().optional(),
      msPer1000UncachedTokens: z.number().min(0).max(3_600_000).optional(),
      jitter: z.number().min(0).max(1).optional(),
    })
    .default({}),
  clock: z
    .union([
      z.strictObject({ speed: z.number().positive().finite() }),
      z.custom<Clock>(isClock, 'expected { speed } or a clock with now() and after()'),
    ])
    .default({ speed: 1 }),
  dialect: z.enum(dialectNames).default('openai'),
  obfuscation: z.boolean().default(false),
  ageLimit: z.enum(['next-turn', 'idle', 'mid-turn']).optional(),
  pings: z
    .strictObject({
      everyMs: milliseconds.positive().default(20_000),
      timeoutMs: milliseconds.positive().default(20_000),
    })
    .optional(),
  tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
  credentials: z.enum(credentialRules).default('separate'),
  control: z.boolean().default(true),
  log: z.custom<(line: string) => void>((value) => typeof value === 'function').optional(),
  allowedHosts: z.array(z.string().min(1)).optional(),
  allowedOrigins: z.array(z.string().min(1)).optional(),
  seed: z.union([z.string(), z.number()]).default(() => randomUUID()),
});

/** Bounds of an emulator; each a positive number. */
export interface EmulatorLimits {
  /**
   * Age in milliseconds at which a socket ends with `websocket_connection_limit_reached` (P74, P81); `ageLimit` says when
   * exactly. @default the dialect's: 60 minutes; xai 25, vercel 13
   */
  readonly connectionAgeMs?: number | undefined;
  /**
   * A socket on which no frame, ping or pong has passed for so many milliseconds is closed with 1001; 0: never.
   * @default the dialect's: 0; vercel 5 minutes
   */
  readonly idleMs?: number | undefined;
  /** A text frame of this many bytes or more closes its socket with 1009, without an event (P88). @default 16 MiB; vercel 4 */
  readonly frameBytes?: number | undefined;
  /** Different `stream_id`s a socket may use in its life (P83); 0: the field is refused. @default 32 for openai, else 0 */
  readonly lanes?: number | undefined;
  /** Turns of one socket that run at once, each on a lane of its own (P82); more wait. @default 16 for openai, else 1 */
  readonly inFlightTurns?: number | undefined;
  /** Steering submissions one response may have accepted; one more fails. How many a real server takes is not known. @default 16 */
  readonly pendingSteers?: number | undefined;
  /** A larger HTTP body is refused with status 413. @default 64 MiB */
  readonly bodyBytes?: number | undefined;
  /** Creates that wait on one socket behind those that run; one more closes it with 1008 (a real cap is not known). @default 64 */
  readonly queuedTurns?: number | undefined;
  /** The same in bytes of their frames. @default 64 MiB */
  readonly queuedBytes?: number | undefined;
  /** Responses kept to be continued or fetched, those of sockets included; the oldest go first. @default 10_000 */
  readonly storedResponses?: number | undefined;
  /** The same in bytes of JSON. A chain longer than this cannot be continued. @default 128 MiB */
  readonly storedBytes?: number | undefined;
  /** Entries of each of the journal's lists. @default 10_000 */
  readonly journalEntries?: number | undefined;
  /**
   * What the journal's turns may have in bytes: received, answered, and 8 for each item of a turn's transcript. The oldest
   * turns go first. Parsed, they take about three times as much memory. @default 128 MiB
   */
  readonly journalBytes?: number | undefined;
}

/** Options of `startEmulator`. All have defaults; an unknown or wrong one is an `EmulatorError`, never ignored. */
export interface EmulatorOptions extends AccessOptions {
  /** 0 takes any free port. @default 0 */
  readonly port?: number | undefined;
  /** The address to listen on. There is no authentication: keep it on this machine. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** A path of a YAML file, or what it would hold. @default none: every turn is an echo */
  readonly script?: string | Script | undefined;
  /** A folder of `NAME.jsonl` files, for requests with `model: 'recording/NAME'`. @default none */
  readonly recordings?: string | undefined;
  /**
   * The models there are; any other is refused with `model_not_found`, as a real server would. Recordings are always known.
   * @default any model is answered
   */
  readonly models?: readonly string[] | undefined;
  /**
   * Answers everything from one recording of whole exchanges, instead of from the other sources: requests, sockets, errors
   * and closes as they were. Only `faults` beside it still apply, those of connections. @default none
   */
  readonly replay?: ReplayOptions | undefined;
  /**
   * What is broken on purpose, and when: a list of rules, or the path of a YAML file with the one key `faults`. They come
   * before those of the script, and those a request asks for before both. @default none
   */
  readonly faults?: string | readonly FaultRule[] | undefined;
  readonly limits?: EmulatorLimits | undefined;
  /**
   * Whether tests in any language can read the journal, replace the script and end the emulator at `/emulator/…`, under the same rules for
   * `Host` and `Origin` as the API. @default true
   */
  readonly control?: boolean | undefined;
  /** Told of each HTTP request and of each end of a turn, in a line without contents. @default nobody */
  readonly log?: ((line: string) => void) | undefined;
  /** The pace of answers whose script names none, recordings and echoes included. @default at once */
  readonly latency?:
    | {
        /** Milliseconds from the request to the first item. @default 0 */
        readonly firstTokenMs?: number | undefined;
        /** Deltas a second; a delta is a word or less. @default all at once */
        readonly tokensPerSecond?: number | undefined;
        /** Milliseconds before the first item for every 1,000 input tokens that no earlier turn brought (`cached_tokens`). @default 0 */
        readonly msPer1000UncachedTokens?: number | undefined;
        /** 0 to 1: each wait is longer or shorter by up to this part of itself. Drawn from `seed` and the number of the turn. @default 0 */
        readonly jitter?: number | undefined;
      }
    | undefined;
  /**
   * The time by which the emulator waits and ages: `{ speed: 60 }` runs 60 times as fast as the machine's, a `ManualClock`
   * stands still until a test moves it, and any object with its `now` and `after` will do. @default { speed: 1 }
   */
  readonly clock?: Clock | { readonly speed: number } | undefined;
  /** Whose server it is like, where they differ: lanes, limits, error shapes, eviction, `[DONE]`. @default 'openai' */
  readonly dialect?: DialectName | undefined;
  /**
   * What a socket's age ends (P74): `next-turn` refuses the next create; `idle` does not wait for one, but lets turns end
   * that run; `mid-turn` ends them too. @default the dialect's: next-turn; xai idle, vercel mid-turn (without an error)
   */
  readonly ageLimit?: AgeLimit | undefined;
  /**
   * Pings every socket and closes it with 1011 when no pong comes in time (P67). Milliseconds; 20,000 each where only one
   * is given. @default no pings: whether api.openai.com sends any is not known
   */
  readonly pings?: { readonly everyMs?: number | undefined; readonly timeoutMs?: number | undefined } | undefined;
  /**
   * Pads deltas to one length unless `stream_options.include_obfuscation` is false, as the real API does (P28); by default
   * only if it is true, so that runs are the same byte for byte. @default false
   */
  readonly obfuscation?: boolean | undefined;
  /**
   * Determines all ids and the jitter, so that two runs are the same byte for byte. @default a random one: no two emulators share an id
   */
  readonly seed?: string | number | undefined;
  /**
   * Serves TLS with this certificate and key, both in PEM; `createTestAuthority` makes them for tests. Codex with a ChatGPT login talks to
   * nothing else. @default none: plain HTTP
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * `separate`: responses and conversations are found by the credential that made them (`Authorization`, `api-key`, `x-api-key`), and
   * are not found by any other, as with a real server; `shared`: by everyone. No credential is refused. @default 'separate'
   */
  readonly credentials?: (typeof credentialRules)[number] | undefined;
}

/** Options after their check, with their defaults; what is up to the dialect is filled in from its row. */
export type CheckedOptions = Omit<z.output<typeof optionsSchema>, 'limits' | 'ageLimit'> & {
  readonly limits: Limits;
  readonly ageLimit: AgeLimit;
};
/** The limits of one emulator: as given, else the dialect's. */
export type Limits = Omit<z.output<typeof limitsSchema>, keyof DialectLimits> & DialectLimits;
type DialectLimits = Pick<Dialect, 'connectionAgeMs' | 'idleMs' | 'frameBytes' | 'lanes' | 'inFlightTurns'>;

function withDialect(options: z.output<typeof optionsSchema>): CheckedOptions {
  const { limits } = options;
  const { connectionAgeMs, idleMs, frameBytes, lanes, inFlightTurns, ageLimit } = dialectTable[options.dialect];
  return {
    ...options,
    ageLimit: options.ageLimit ?? ageLimit,
    limits: {
      ...limits,
      connectionAgeMs: limits.connectionAgeMs ?? connectionAgeMs,
      idleMs: limits.idleMs ?? idleMs,
      frameBytes: limits.frameBytes ?? frameBytes,
      lanes: limits.lanes ?? lanes,
      inFlightTurns: limits.inFlightTurns ?? inFlightTurns,
    },
  };
}

function isClock(value: unknown): boolean {
  return isRecord(value) && typeof value['now'] === 'function' && typeof value['after'] === 'function';
}

export function checkOptions(options: EmulatorOptions): CheckedOptions {
  const checked = optionsSchema.safeParse(options);
  if (checked.success) return withDialect(checked.data);
  throw new EmulatorError('invalid_option', optionProblem(firstIssue(checked.error), options));
}

/** What is wrong with an option, in one sentence that guesses what was meant. */
function optionProblem(issue: z.core.$ZodIssue, options: unknown): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const name = path === '' ? key : `${path}.${key}`;
    return `The emulator has no option "${name}"; ${advice(key, optionNamesAt(issue.path))}.`;
  }
  const subject = path === '' ? 'The options of the emulator are' : `The emulator's option "${path}" is`;
  const value = issue.path.reduce<unknown>((from, key) => (isRecord(from) ? from[String(key)] : undefined), options);
  const guess =
    issue.code === 'invalid_value' && typeof value === 'string' ? `; ${advice(value, issue.values.map(String))}` : '';
  return `${subject} not valid: ${issue.message.replace(/^Invalid input: /, '')}${guess}.`;
}

/** The options that there are in a group; those of the emulator for an empty path. */
function optionNamesAt(path: readonly PropertyKey[]): readonly string[] {
  const group = path.reduce<unknown>((from, key) => shapeOf(from)?.[String(key)], optionsSchema);
  return Object.keys(shapeOf(group) ?? {});
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (schema instanceof z.ZodObject) return schema.shape;
  const isWrapped =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return isWrapped ? shapeOf(schema.unwrap()) : undefined;
}
