import { join } from 'node:path';
import type { Io } from '../process/io.js';

/** The folder that sessions and memories are kept in: TURNWIRE_HOME, or `.turnwire` in the user's own; undefined where there is neither. */
export function homeOf({ env }: Io): string | undefined {
  const { TURNWIRE_HOME: own } = env;
  if (own !== undefined && own !== '') return own;
  const home = env['HOME'] ?? env['USERPROFILE'];
  return home === undefined || home === '' ? undefined : join(home, '.turnwire');
}
