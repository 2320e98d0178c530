import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../process/usage-error.js';

/** The files that `turnwire run` looks for when it is given none, as docker-agent does: the first one that the folder has is run. */
const defaults = ['docker-agent.yaml', 'docker-agent.yml', 'cagent.yaml', 'cagent.yml'];

/** @throws UsageError where no file is named and the folder has none of the default ones. */
export function agentFile(named: string | undefined, cwd: string): string {
  if (named !== undefined) return named;
  const found = defaults.find((name) => existsSync(join(cwd, name)));
  if (found === undefined) throw new UsageError(`there is no agent file: name one, or call it ${defaults[0]}`);
  return found;
}
