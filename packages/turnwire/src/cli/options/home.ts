import { join } from 'node:path';
import type { Io } from '../process/io.js';

/** The folder of sessions and memories: TURNWIRE_HOME, or `.turnwire` in the user's home folder; undefined where neither is known. */
export function homeOf({ env }: Io): string | undefined {
  const { TURNWIRE_HOME: own } = env;
  if (own !== undefined && own !== '') return own;
  const home = env['HOME'] ?? env['USERPROFILE'];
  return home === undefined || home === '' ? undefined : join(home, '.turnwire');
}
