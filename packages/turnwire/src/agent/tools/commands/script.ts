import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Toolset } from '../../../config/toolset.js';
import { outcome, runCommand } from './command.js';
import type { Tool } from '../tool.js';
import type { OpenToolset, Surroundings } from '../toolset.js';
import { withPath } from '../files/workspace.js';

/** The longest run of a script, in seconds: enough for a build, but not for a server. */
const timeout = 600;

type Script = Extract<Toolset, { type: 'script' }>;

/**
 * The user's own commands as tools. Arguments reach the command as variables, never as a part of its text: so the model's text is a value there, and never
 * code.
 */
export async function scriptToolset(
  { shell, env }: Script,
  { env: outer, expand, workspace }: Surroundings,
): Promise<OpenToolset> {
  const shared = await expand(env);
  const tools: Tool[] = [];
  for (const [name, script] of Object.entries(shell)) {
    const { cmd, description = cmd, args = {}, required = Object.keys(args), working_dir: folder = '.' } = script;
    const own = await expand(script.env);
    const check = (given: unknown): Readonly<Record<string, unknown>> =>
      checked(name, given, Object.keys(args), required);
    tools.push({
      name,
      description,
      parameters: { type: 'object', properties: args, required, additionalProperties: false },
      readOnly: false,
      revealing: true,
      detail: cmd,
      check: (given) => void check(given),
      async run(given, { signal }) {
        const variables = Object.entries(check(given)).map(([key, value]) => [key, inVariable(value)] as const);
        const cwd = await folderOf(resolve(workspace.root, folder), folder);
        // The agent file names the arguments, so that the model cannot replace PATH or the like.
        const all = { ...outer, ...shared, ...own, ...Object.fromEntries(variables) };
        return outcome(await runCommand({ cmd, cwd, env: all, timeout, signal }));
      },
    });
  }
  return { tools };
}

/** The working directory of a script, which the file may put anywhere. */
async function folderOf(place: string, folder: string): Promise<string> {
  const found = await withPath(folder, () => stat(place));
  if (!found.isDirectory()) throw new Error(`${folder}, its working_dir, is not a folder`);
  return place;
}

/** The arguments after a check of their names. Their types are left to the command, which gets texts. */
function checked(
  name: string,
  given: unknown,
  known: readonly string[],
  required: readonly string[],
): Readonly<Record<string, unknown>> {
  const wrong = (what: string): Error => new Error(`wrong arguments for ${name}: ${what}`);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong('they must be an object');
  const stray = Object.keys(given).filter((key) => !known.includes(key));
  if (stray.length > 0) throw wrong(`there is no ${stray.join(', ')}; there is ${known.join(', ') || 'none'}`);
  const missing = required.filter((key) => !Object.hasOwn(given, key));
  if (missing.length > 0) throw wrong(`${missing.join(', ')} is missing`);
  for (const [key, value] of Object.entries(given))
    if (inVariable(value).includes('\0')) throw wrong(`${key} holds a zero byte`);
  return given as Readonly<Record<string, unknown>>;
}

function inVariable(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
