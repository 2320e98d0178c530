import { credentialHelperSecrets } from './sources/credential-helper.js';
import { envFileSecrets } from './sources/env-file.js';
import { environmentSecrets } from './sources/environment.js';
import { keychainSecrets } from './sources/keychain.js';
import { mountedSecrets } from './sources/mounted.js';
import { withOnePassword } from './sources/one-password.js';
import { passwordStoreSecrets } from './sources/password-store.js';
import { findProgram, type Program } from './sources/program.js';
import { type Environment, firstOf, SecretError, type Secrets } from './secrets.js';

export interface SecretOptions {
  env: Environment;
  /** Files of `--env-from-file`, in their order; paths are taken from `cwd`. @default none */
  envFiles?: readonly string[] | undefined;
  cwd?: string | undefined;
  /** The folder of a container's secrets. @default /run/secrets */
  mounted?: string | undefined;
  /** The platform whose keychain is used. @default that of this machine */
  platform?: NodeJS.Platform | undefined;
  /** The longest run of a program, in milliseconds. @default 10_000 */
  deadlineMs?: number | undefined;
}

/** The variable that chooses one of Docker's credential helpers, by the end of its name: `secretservice`. */
const helperVariable = 'TURNWIRE_CREDENTIAL_HELPER';

/**
 * All sources of secrets, in docker-agent's order: env files, the environment, /run/secrets, a credential helper, `pass`, the keychain. The first source that
 * has a name decides. A program that is not installed is left out; a program that hangs is ended, and is an error. docker-agent's sources of `DOCKER_TOKEN`
 * (sandbox, Docker Desktop) are missing: they serve its models gateway, which turnwire does not support.
 *
 * @throws SecretError if an env file cannot be read, or the credential helper is not installed
 */
export function secretChain(options: SecretOptions): Secrets {
  const { env, envFiles = [], cwd = process.cwd(), mounted, platform = process.platform, deadlineMs } = options;
  const program = (name: string): Program | undefined => {
    const path = findProgram(name, env);
    return path === undefined ? undefined : { name, path, env, deadlineMs };
  };
  const [pass, security] = [program('pass'), platform === 'darwin' ? program('security') : undefined];
  const chain = firstOf([
    ...envFiles.map((path) => envFileSecrets(path, cwd)),
    environmentSecrets(env),
    mountedSecrets(mounted),
    ...credentialHelper(env, program),
    ...(pass === undefined ? [] : [passwordStoreSecrets(pass)]),
    ...(security === undefined ? [] : [keychainSecrets(security)]),
  ]);
  return withOnePassword(chain, program('op'));
}

function credentialHelper(env: Environment, program: (name: string) => Program | undefined): Secrets[] {
  const helper = env[helperVariable];
  if (helper === undefined || helper === '') return [];
  // The value becomes part of the name of a program.
  const found = /^[A-Za-z0-9_-]{1,64}$/.test(helper) ? program(`docker-credential-${helper}`) : undefined;
  if (found !== undefined) return [credentialHelperSecrets(found)];
  throw new SecretError(`${helperVariable}: there is no such credential helper (docker-credential-…) on the PATH`);
}
