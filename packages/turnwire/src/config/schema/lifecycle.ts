import { z } from 'zod';
import { between, duration, flag, milliseconds } from './values.js';

const time = duration.transform(milliseconds);

const backoff = z.strictObject(
  {
    initial: time.default(1000).describe('The first wait. Default: 1s.'),
    max: time.default(32_000).describe('The longest wait. Default: 32s.'),
    multiplier: between(1, 100).default(2).describe('The factor between one wait and the next. Default: 2.'),
    jitter: between(0, 1).default(0).describe('The random part of a wait, as a part of the wait. Default: 0.'),
  },
  'a mapping with "initial", "max", "multiplier" and "jitter"',
);

const most = 'a whole number; -1: no limit, 0: 5';

/** `lifecycle` of an MCP server. */
export const lifecycleSchema = z.strictObject(
  {
    profile: z
      .enum(['resilient', 'strict', 'best-effort'], 'resilient, strict or best-effort')
      .default('resilient')
      .describe(
        'resilient: the server is restarted. strict: the server is required. best-effort: neither. Default: resilient.',
      ),
    required: flag
      .optional()
      .describe('Whether a run needs the server in order to begin. Default: that of the profile.'),
    startup_timeout: time.optional().describe('The longest start. Default: 60s.'),
    call_timeout: time
      .optional()
      .describe('The longest call, however much progress it reports. Default: 2m, or more with progress.'),
    restart: z
      .enum(['never', 'on_failure', 'always'], 'never, on_failure or always')
      .optional()
      .describe('Whether a server that has ended is restarted for the next call. Default: that of the profile.'),
    max_restarts: z
      .int(most)
      .min(-1, most)
      .default(0)
      .describe('The restarts in a row that may fail. -1: no limit. Default: 5.'),
    backoff: backoff.prefault({}).describe('The waits between such attempts.'),
  },
  'a mapping with "profile" and the like',
);

export type Lifecycle = z.output<typeof lifecycleSchema>;
