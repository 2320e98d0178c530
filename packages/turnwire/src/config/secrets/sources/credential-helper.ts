import { ask, type Program } from './program.js';
import { SecretError, type Secrets } from '../secrets.js';

/**
 * One of Docker's credential helpers (`docker-credential-osxkeychain`, `-secretservice`, `-wincred`, `-pass`): the name of the secret is the server URL of
 * its entry, and the value is that entry's `Secret`.
 */
export function credentialHelperSecrets(program: Program): Secrets {
  return {
    async get(name) {
      const answer = await ask(program, ['get'], name);
      if (answer === undefined) return undefined;
      return { value: secretIn(answer, program.name), source: program.name };
    },
  };
}

function secretIn(answer: string, program: string): string {
  try {
    const found: unknown = JSON.parse(answer);
    const secret = typeof found === 'object' && found !== null && 'Secret' in found ? found.Secret : undefined;
    if (typeof secret === 'string') return secret;
  } catch {
    // The error below says so without the parser's message, which would quote the secret.
  }
  throw new SecretError(`${program} did not answer with JSON that has a "Secret"`);
}
