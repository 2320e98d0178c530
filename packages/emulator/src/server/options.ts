import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { accessFields } from '../listener/access.js';
import type { Clock } from '../base/clock.js';
import { dialectTable, dialectNames, type AgeLimit, type Dialect } from '../wire/dialect.js';
import { EmulatorError } from '../base/errors.js';
import { optionProblem } from '../base/option-problem.js';
import { credentialRules } from '../base/tenant.js';
import { isRecord } from '../wire/wire.js';
import type { EmulatorOptions } from './options-type.js';

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
  script: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())], 'expected the path of a file, or an object')
    .optional(),
  recordings: z.string().min(1).optional(),
  replay: z
    .strictObject({
      file: z.string().min(1),
      upstream: z.string().optional(),
      onDifference: z
        .custom<(message: string) => void>((value) => typeof value === 'function', 'expected a function')
        .optional(),
      mode: z.enum(['strict', 'loose']).default('strict'),
      timing: z
        .union(
          [z.enum(['recorded', 'at-once']), z.number().positive().finite()],
          'expected "recorded", "at-once" or a speed above 0',
        )
        .default('recorded'),
    })
    .optional(),
  models: z.array(z.string().min(1)).min(1).optional(),
  // The rules are checked when they are loaded, as those of a script are, so that an error in a file has its line and column.
  faults: z
    .union([z.string().min(1), z.array(z.unknown())], 'expected the path of a file, or a list of rules')
    .optional(),
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
    .union(
      [z.strictObject({ speed: z.number().positive().finite() }), z.custom<Clock>(isClock)],
      'expected { speed } or a clock with now() and after()',
    )
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
  log: z.custom<(line: string) => void>((value) => typeof value === 'function', 'expected a function').optional(),
  ...accessFields,
  seed: z.union([z.string(), z.number()], 'expected a text or a number').default(() => randomUUID()),
});

/** The checked options, with their defaults. Defaults that depend on the dialect come from the table of dialects. */
export type CheckedOptions = Omit<z.output<typeof optionsSchema>, 'limits' | 'ageLimit'> & {
  readonly limits: Limits;
  readonly ageLimit: AgeLimit;
};
/** The limits of one emulator. Limits that were not given are those of the dialect. */
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

const settledSchema = z.strictObject({ timeoutMs: milliseconds.default(5000) });

/** Checks the options of `settled()`. @throws EmulatorError */
export function checkSettledOptions(options: { readonly timeoutMs?: number | undefined }): {
  readonly timeoutMs: number;
} {
  const checked = settledSchema.safeParse(options);
  if (checked.success) return checked.data;
  throw new EmulatorError('invalid_option', optionProblem('function settled', settledSchema, checked.error, options));
}

export function checkOptions(options: EmulatorOptions): CheckedOptions {
  const checked = optionsSchema.safeParse(options);
  if (checked.success) return withDialect(checked.data);
  throw new EmulatorError('invalid_option', optionProblem('emulator', optionsSchema, checked.error, options));
}
