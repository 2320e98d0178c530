import { z } from 'zod';
import { flag, name } from '../values.js';

/** `cache` of an agent: a question that is asked again gets the earlier answer. */
export const cacheSchema = z.strictObject(
  {
    enabled: flag.default(false).describe('Whether answers are kept. Default: false.'),
    case_sensitive: flag.default(false).describe('Upper and lower case are not the same. Default: false.'),
    trim_spaces: flag.default(false).describe('Blanks before and after a question do not count. Default: false.'),
    path: name
      .optional()
      .describe('The file they are kept in, relative to the agent file. Default: kept until the process ends.'),
  },
  'a mapping with "enabled"',
);
