import { secretChain } from '../../config/secrets/chain.js';
import { SecretError, type Secrets } from '../../config/secrets/secrets.js';
import { UsageError } from '../process/usage-error.js';
import type { Io } from '../process/io.js';

/** The sources of keys for the verbs that run agents: the files of `--env-from-file` first, then the other sources of this machine. */
export function secretsOf(io: Io, envFiles: readonly string[] = []): Secrets {
  try {
    return secretChain({ env: io.env, envFiles, cwd: io.cwd });
  } catch (error) {
    throw error instanceof SecretError ? new UsageError(error.message) : error;
  }
}
