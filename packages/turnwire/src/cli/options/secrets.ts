import { secretChain } from '../../config/secrets/chain.js';
import { SecretError, type Secrets } from '../../config/secrets/secrets.js';
import { UsageError } from '../process/usage-error.js';
import type { Io } from '../process/io.js';

/** Where the verbs that run agents look for keys: the files of `--env-from-file`, then all there is on this machine. */
export function secretsOf(io: Io, envFiles: readonly string[] = []): Secrets {
  try {
    return secretChain({ env: io.env, envFiles, cwd: io.cwd });
  } catch (error) {
    throw error instanceof SecretError ? new UsageError(error.message) : error;
  }
}
