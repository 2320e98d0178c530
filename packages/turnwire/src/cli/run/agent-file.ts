import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../process/usage-error.js';

/** What `turnwire run` without a file runs, as docker-agent does: the first of these that the folder has. */
const defaults = ['docker-agent.yaml', 'docker-agent.yml', 'cagent.yaml', 'cagent.yml'];

/** @throws UsageError where no file is named and the folder has none of these. */
export function agentFile(named: string | undefined, cwd: string): string {
  if (named !== undefined) return named;
  const found = defaults.find((name) => existsSync(join(cwd, name)));
  if (found === undefined) throw new UsageError(`there is no agent file: name one, or call it ${defaults[0]}`);
  return found;
}
