import { ScriptError } from '../../base/errors.js';
import { firstIssue, scriptProblem } from './script-problem.js';
import { scriptSchema, type CheckedScript } from './script.js';

/** Reads and checks a script: a path, or the object a file would hold. Every fault is a `ScriptError` of one sentence. */
export async function loadScript(source: unknown): Promise<CheckedScript> {
  if (typeof source !== 'string') return checkObject(source);
  // Only files are YAML, and its library takes a while to load.
  const { loadScriptFile } = await import('./script-yaml.js');
  return loadScriptFile(source);
}

function checkObject(source: unknown): CheckedScript {
  const checked = scriptSchema.safeParse(source);
  if (checked.success) return checked.data;
  throw new ScriptError(`The script is not valid: ${scriptProblem(firstIssue(checked.error), source)}`);
}
