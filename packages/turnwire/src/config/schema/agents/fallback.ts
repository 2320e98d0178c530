import { z } from 'zod';
import { duration, flag, milliseconds, name } from '../values.js';

const retries = 'a whole number from -1 to 100';

/** `fallback` of an agent: what happens when its model fails. Defaults are docker-agent's. */
export const fallbackSchema = z.strictObject(
  {
    models: z
      .array(name, 'a list of models')
      .default([])
      .describe('Models to try, in this order, when the model of the agent fails. Default: none.'),
    retries: z
      .int(retries)
      .min(-1, retries)
      .max(100, retries)
      .default(2)
      .describe(
        'Further attempts with each model after an error that may pass; -1: none, 0: as the default. Default: 2.',
      ),
    cooldown: duration
      .default('1m')
      .transform(milliseconds)
      .describe('How long a fallback that works is kept before the model of the agent is tried again. Default: 1m.'),
    retry_rate_limits: flag
      .default(false)
      .describe(
        'Also repeat after 429, as Retry-After says and for a minute at most; turnwire alone has this. Default: false, the next model is tried.',
      ),
  },
  'a mapping with "models", "retries" and "cooldown"',
);
