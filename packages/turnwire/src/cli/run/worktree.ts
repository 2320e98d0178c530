import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { runHooks, type HookContext } from '../../agent/hooks/hooks.js';
import { endedBy } from '../../agent/hooks/run-hooks-at.js';
import type { Variables } from '../../agent/tools/commands/command.js';
import type { Agent } from '../../config/agent.js';
import { printable } from '../process/terminal.js';
import { UsageError } from '../process/usage-error.js';

/** A git worktree of one run. */
export interface Worktree {
  path: string;
  branch: string;
  /** The top folder of the repository that the worktree was made from. */
  source: string;
}

export interface WorktreeOptions {
  /** A folder of the repository. */
  directory: string;
  /** The name of the worktree; `true`: a generated name. */
  name: string | true;
  /** The folder of turnwire in the user's home, which contains the worktrees. */
  home: string | undefined;
  env: Variables;
  signal: AbortSignal;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * Makes a git worktree from the last commit of a repository, on a branch of its own.
 *
 * @throws UsageError that says why it could not be made
 */
export async function createWorktree({ directory, name, home, env, signal }: WorktreeOptions): Promise<Worktree> {
  if (name !== true && (!namePattern.test(name) || name.endsWith('.lock') || name.includes('..')))
    throw new UsageError(`--worktree=${name}: the name must be letters, digits, "_", "." and "-", 64 at most`);
  if (home === undefined) throw new UsageError('--worktree needs a folder: set TURNWIRE_HOME, or HOME');
  const git = async (...args: string[]): Promise<string> => {
    try {
      const { stdout } = await promisify(execFile)('git', args, { cwd: directory, env, signal, windowsHide: true });
      return stdout.trim();
    } catch (error) {
      signal.throwIfAborted();
      const { code, stderr = '', message } = error as Error & { code?: unknown; stderr?: string };
      const said =
        stderr
          .trim()
          .split('\n')
          .at(-1)
          ?.replace(/^(?:fatal|error): /, '') ?? '';
      const why = code === 'ENOENT' ? 'there is no program git' : said || message;
      throw new UsageError(`--worktree: no worktree can be made of ${directory}: ${why}`, { cause: error });
    }
  };
  const source = await git('rev-parse', '--show-toplevel');
  const own = name === true ? randomBytes(4).toString('hex') : name;
  const branch = `worktree-${own}`;
  const mark = createHash('sha256').update(source).digest('hex').slice(0, 8);
  const path = join(home, 'worktrees', `${basename(source)}-${mark}`, own);
  await mkdir(dirname(path), { recursive: true });
  await git('worktree', 'add', '--quiet', '-b', branch, path);
  return { path, branch, source };
}

/**
 * Runs the hooks of an agent that prepare a new worktree, within it. Their output goes to the user.
 *
 * @throws AgentError where one of them refuses
 */
export async function prepareWorktree(
  { path, branch, source }: Worktree,
  { name, hooks }: Agent,
  {
    tell,
    sessionId,
    signal,
    ...around
  }: Omit<HookContext, 'directory'> & {
    tell: (message: string) => void;
    sessionId: string;
    signal: AbortSignal;
  },
): Promise<void> {
  const event = {
    session_id: sessionId,
    agent_name: name,
    worktree_path: path,
    worktree_branch: branch,
    worktree_source_dir: source,
  };
  const call = { point: 'worktree_create', event, signal } as const;
  const { warnings, context, blocked } = await runHooks(hooks, call, { ...around, directory: path });
  for (const text of [...context, ...warnings]) tell(`turnwire: ${printable(text)}`);
  if (blocked === undefined) return;
  tell(`turnwire: the worktree stays as it is; to remove it: git worktree remove --force ${path}`);
  throw endedBy(blocked);
}
