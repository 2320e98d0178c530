import { expressionsIn, variablesIn } from '../variables/expression.js';
import { providers } from '../models/providers.js';
import { holdsSecrets } from '../variables/late.js';
import { bareName, namesIn } from '../variables/references.js';

/** Nothing that names a secret stands deeper than this. */
const deepest = 12;

/** Variables that name a place or a language. A file that puts `${env.HOME}` into a value makes no secret of it. */
const plainVariables = /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|TERM|TZ|TMPDIR|TEMP|TMP|LANG|LC_[A-Z]+|XDG_[A-Z_]+)$/;

/**
 * The variables that hold secrets, by an agent file: each `token_key` in it, of models that no agent uses as well, each `${env.NAME}` in a value that is
 * sent or given to a command, and the keys of all built-in providers, which the command line can choose.
 *
 * @param files the file as it is written, and with its variables put in: the name of a key may be one of them
 */
export function secretVariables(...files: readonly unknown[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const provider of providers.values())
    if ('tokenKeys' in provider) for (const name of provider.tokenKeys) found.add(name);
  const visit = (value: unknown, within: string | undefined, depth: number): void => {
    if (typeof value === 'string' && within !== undefined)
      for (const name of referredTo(value)) if (!plainVariables.test(name)) found.add(name);
    if (typeof value !== 'object' || value === null || depth > deepest) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'token_key' && typeof inner === 'string') found.add(bareName(inner) ?? inner);
      visit(inner, holdsSecrets(key) ? key : within, depth + 1);
    }
  };
  for (const file of files) visit(file, undefined, 0);
  return found;
}

/** `${env.NAME}`, `${NAME}`, and all that a choice such as `${env.A || env.B}` is between. */
function referredTo(text: string): string[] {
  return [...namesIn(text), ...expressionsIn(text).flatMap(({ source }) => variablesIn(source))];
}
