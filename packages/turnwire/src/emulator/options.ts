import { z } from 'zod';
import { EmulatorError } from './errors.js';
import type { Script } from './script.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const count = z.int().positive();

const limitsSchema = z.strictObject({
  connectionAgeMs: z
    .number()
    .positive()
    .max(2_147_483_647)
    .default(60 * 60 * 1000),
  frameBytes: count.default(16 * MIB),
  bodyBytes: count.default(64 * MIB),
  queuedTurns: count.default(64),
  queuedBytes: count.default(64 * MIB),
  storedResponses: count.default(10_000),
  storedBytes: count.default(128 * MIB),
  journalEntries: count.default(10_000),
  journalBytes: count.default(128 * MIB),
});

const optionsSchema = z.strictObject({
  port: z.int().min(0).max(65_535).default(0),
  host: z.string().min(1).default('127.0.0.1'),
  script: z.union([z.string().min(1), z.record(z.string(), z.unknown())]).optional(),
  recordings: z.string().min(1).optional(),
  limits: limitsSchema.prefault({}),
  latency: z
    .strictObject({
      firstTokenMs: z.number().min(0).max(3_600_000).optional(),
      tokensPerSecond: z.number().positive().optional(),
    })
    .default({}),
  seed: z.union([z.string(), z.number()]).default('turnwire'),
});

/** Bounds of an emulator; each a positive number. */
export interface EmulatorLimits {
  /**
   * Age in milliseconds from which a socket's next create is answered with `websocket_connection_limit_reached` and the
   * socket is closed (P74). A turn that runs is finished; an idle socket is left alone. @default 3_600_000
   */
  readonly connectionAgeMs?: number | undefined;
  /** A text frame of this many bytes or more closes its socket with 1009, without an event (P88). @default 16 MiB */
  readonly frameBytes?: number | undefined;
  /** A larger HTTP body is refused with status 413. @default 64 MiB */
  readonly bodyBytes?: number | undefined;
  /** Creates that wait on one socket behind the one that runs; one more closes it with 1008. @default 64 */
  readonly queuedTurns?: number | undefined;
  /** The same in bytes of their frames. @default 64 MiB */
  readonly queuedBytes?: number | undefined;
  /** Responses kept to be continued or fetched, those of sockets included; the oldest go first. @default 10_000 */
  readonly storedResponses?: number | undefined;
  /** The same in bytes of JSON. A chain longer than this cannot be continued. @default 128 MiB */
  readonly storedBytes?: number | undefined;
  /** Entries of each of the journal's lists. @default 10_000 */
  readonly journalEntries?: number | undefined;
  /** Received bytes the journal's turns may have. @default 128 MiB */
  readonly journalBytes?: number | undefined;
}

/** Options of `startEmulator`. All have defaults; an unknown or wrong one is an `EmulatorError`, never ignored. */
export interface EmulatorOptions {
  /** 0 takes any free port. @default 0 */
  readonly port?: number | undefined;
  /** The address to listen on. There is no authentication: keep it on this machine. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** A path of a YAML file, or what it would hold. @default none: every turn is an echo */
  readonly script?: string | Script | undefined;
  /** A folder of `NAME.jsonl` files, for requests with `model: 'recording/NAME'`. @default none */
  readonly recordings?: string | undefined;
  readonly limits?: EmulatorLimits | undefined;
  /** The pace of answers whose script names none, recordings and echoes included. @default at once */
  readonly latency?:
    | {
        /** Milliseconds from the request to the first item. */
        readonly firstTokenMs?: number | undefined;
        /** Deltas a second. */
        readonly tokensPerSecond?: number | undefined;
      }
    | undefined;
  /** Determines all ids. Two emulators at once should have different ones. @default 'turnwire' */
  readonly seed?: string | number | undefined;
}

export type CheckedOptions = z.output<typeof optionsSchema>;
export type Limits = z.output<typeof limitsSchema>;

export function checkOptions(options: EmulatorOptions): CheckedOptions {
  const checked = optionsSchema.safeParse(options);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const name = path === '' ? String(issue.keys[0]) : `${path}.${issue.keys[0]}`;
    throw new EmulatorError('invalid_option', `The emulator has no option "${name}"; check its spelling.`);
  }
  const subject = path === '' ? 'The options of the emulator are' : `The emulator's option "${path}" is`;
  throw new EmulatorError(
    'invalid_option',
    `${subject} not valid: ${issue?.message.replace(/^Invalid input: /, '') ?? 'unknown reason'}.`,
  );
}
