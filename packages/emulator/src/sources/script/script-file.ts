import { ScriptError } from '../../base/errors.js';
import { firstIssue } from '../../base/option-problem.js';
import { scriptProblem } from './script-problem.js';
import { scriptSchema, type CheckedScript } from './script.js';

/** Reads and checks a script: the path of a file, or its content as an object. @throws ScriptError with one sentence */
export async function loadScript(source: unknown): Promise<CheckedScript> {
  if (typeof source !== 'string') return checkObject(source);
  // The YAML library is loaded only for files, because loading it takes time.
  const { loadScriptFile } = await import('./script-yaml.js');
  return loadScriptFile(source);
}

function checkObject(source: unknown): CheckedScript {
  const checked = scriptSchema.safeParse(source);
  if (checked.success) return checked.data;
  throw new ScriptError(`The script is not valid: ${scriptProblem(firstIssue(checked.error), source)}`);
}
