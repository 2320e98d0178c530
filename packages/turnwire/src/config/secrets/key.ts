import { type Secret, SecretError, type Secrets } from './secrets.js';

/** Finds the secret of the first name that has one. */
async function find(secrets: Secrets, names: readonly string[]): Promise<(Secret & { name: string }) | undefined> {
  for (const name of names) {
    const found = await secrets.get(name);
    if (found !== undefined) return { ...found, name };
  }
  return undefined;
}

/** The problem of the secret with these names, as a sentence without its value; undefined where it can be used, or sent in a header. */
export async function secretProblem(
  secrets: Secrets,
  names: readonly string[],
  inHeader: boolean,
): Promise<string | undefined> {
  try {
    if (inHeader) await readSecret(secrets, names);
    else if ((await find(secrets, names)) === undefined) return missing(names);
    return undefined;
  } catch (error) {
    if (error instanceof SecretError) return error.message;
    throw error;
  }
}

/** The source of the secret with these names; undefined where no source has it. */
export async function locateSecret(secrets: Secrets, names: readonly string[]): Promise<string | undefined> {
  return (await find(secrets, names))?.source;
}

/**
 * The value of the first name that is found, fit for a header.
 *
 * @throws SecretError that says what is wrong and what to do, without the value
 */
export async function readSecret(secrets: Secrets, names: readonly string[]): Promise<string> {
  const found = await find(secrets, names);
  if (found === undefined) throw new SecretError(missing(names));
  const { name, source, value } = found;
  const wrong = (what: string): SecretError =>
    new SecretError(`${name}, from ${source}, ${what}; set it to the key alone`);
  if (value.trim() === '') throw new SecretError(`${name}, from ${source}, is empty; set it to the key`);
  if (/[\r\n]/.test(value)) throw wrong('holds a line break');
  // Only these characters can be sent in a header. Others would fail inside HTTP, with an error that shows the value.
  if (!/^[\x21-\x7e]+$/.test(value)) throw wrong('holds a blank or a character that is not ASCII');
  return value;
}

function missing(names: readonly string[]): string {
  const [first = ''] = names;
  return `${names.join(' or ')} is not set: export it, write it into a file for --env-from-file, mount it as /run/secrets/${first}, or keep it in pass or the keychain under that name`;
}
