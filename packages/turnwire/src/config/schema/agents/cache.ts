import { z } from 'zod';
import { flag, name } from '../values.js';

/** `cache` of an agent: a question that is asked again gets the earlier answer. */
export const cacheSchema = z.strictObject(
  {
    enabled: flag.default(false).describe('Whether answers are kept. Default: false.'),
    case_sensitive: flag.default(false).describe('Whether upper and lower case differ. Default: false.'),
    trim_spaces: flag.default(false).describe('Whether blanks around a question are ignored. Default: false.'),
    path: name
      .optional()
      .describe('The file of the answers, relative to the agent file. Default: they are kept until the process ends.'),
  },
  'a mapping with "enabled"',
);
