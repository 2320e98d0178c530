import { expressionsIn, variablesIn } from '../variables/expression.js';
import { providers } from '../models/providers.js';
import { holdsSecrets } from '../variables/late.js';
import { bareName, namesIn } from '../variables/references.js';

/** The deepest level at which a secret is named. */
const deepest = 12;

/** Variables that name a path or a language: a file that puts `${env.HOME}` into a value does not make it a secret. */
const plainVariables = /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|TERM|TZ|TMPDIR|TEMP|TMP|LANG|LC_[A-Z]+|XDG_[A-Z_]+)$/;

/**
 * The variables that hold secrets, according to an agent file: each `token_key`, also of models that no agent uses; each `${env.NAME}` in a value that is
 * sent or given to a command; and the keys of all built-in providers, which the command line can choose.
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

/** The variables of a text: `${env.NAME}`, `${NAME}`, and all variables of a choice such as `${env.A || env.B}`. */
function referredTo(text: string): string[] {
  return [...namesIn(text), ...expressionsIn(text).flatMap(({ source }) => variablesIn(source))];
}
