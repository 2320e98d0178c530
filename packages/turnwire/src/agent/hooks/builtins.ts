import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { BuiltinHook } from '../../config/schema/agents/hooks.js';
import { environment, today } from '../conversation/instructions.js';
import { promptFile } from '../conversation/prompt-files.js';
import { redactText, redactValue } from '../turn/redaction.js';
import type { Variables } from '../tools/commands/command.js';
import { firstCharacters } from '../base/well-formed.js';
import { type HookFields, noFields } from './hook-answer.js';

/** What a builtin hook knows. */
export interface BuiltinSurroundings {
  /** An absolute path. */
  directory: string;
  env: Variables;
  now: Date;
  signal: AbortSignal;
  /** In seconds. */
  timeout: number;
}

/** What it is told, as commands are. */
export type Told = Readonly<Record<string, unknown>>;

type Builtin = (
  args: readonly string[],
  told: Told,
  around: BuiltinSurroundings,
) => Promise<Partial<HookFields>> | Partial<HookFields>;

/** What `git diff` says at most, in characters. */
const longestDiff = 4096;
/** Entries of a folder that are listed. */
const mostEntries = 100;
const defaultCommits = '10';

const builtins: Readonly<Record<BuiltinHook['command'], Builtin>> = {
  add_date: (_args, _told, { now }) => ({ context: today(now) }),
  add_environment_info: (_args, _told, { directory }) => ({ context: environment(directory) }),
  async add_prompt_files(args, _told, { directory }) {
    const found = await Promise.all(args.map((file) => promptFile(directory, file)));
    return says(found.filter((text) => text !== undefined).join('\n\n'));
  },
  add_git_status: async (_args, _told, around) =>
    says(titled('git status', await git(around, ['status', '--short', '--branch']))),
  async add_git_diff([form], _told, around) {
    const diff = await git(around, ['diff', '--no-ext-diff', '--no-textconv', ...(form === 'full' ? [] : ['--stat'])]);
    return says(titled('git diff', diff.length > longestDiff ? `${firstCharacters(diff, longestDiff)}\n[cut]` : diff));
  },
  async add_directory_listing(_args, _told, { directory }) {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort();
    const more = names.length > mostEntries ? [`and ${names.length - mostEntries} more`] : [];
    return says(titled('The working directory has', [...names.slice(0, mostEntries), ...more].join('\n')));
  },
  add_user_info: () => says(`The user is ${userInfo().username}, on ${hostname()}.`),
  add_recent_commits: async ([count = defaultCommits], _told, around) =>
    says(
      titled(`The last ${count} commits`, await git(around, ['log', '--oneline', '--no-show-signature', '-n', count])),
    ),
  max_iterations([most = '0'], { iteration }) {
    const over = typeof iteration === 'number' && iteration > Number(most);
    return over ? { blocked: `the run is not done after ${most} turns` } : {};
  },
  redact_secrets(_args, { tool_input: input, tool_response: response }) {
    const changed = redactValue(input);
    const text = typeof response === 'string' ? redactText(response) : undefined;
    return {
      ...(changed === input ? {} : { updatedInput: changed as Readonly<Record<string, unknown>> }),
      ...(text === response ? {} : { updatedToolResponse: text }),
    };
  },
};

/** @throws Error that says why it cannot tell what it is for. */
export async function runBuiltin(
  { command, args = [] }: BuiltinHook,
  told: Told,
  around: BuiltinSurroundings,
): Promise<HookFields> {
  return { ...noFields, ...(await builtins[command](args, told, around)) };
}

function says(text: string): Partial<HookFields> {
  return text === '' ? {} : { context: text };
}

function titled(title: string, text: string): string {
  return text === '' ? '' : `${title}:\n${text}`;
}

/** What git says of the working directory; nothing where it is no repository, or there is no git. No program that the repository names is run. */
async function git({ directory, env, signal, timeout }: BuiltinSurroundings, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      'git',
      ['--no-pager', '--no-optional-locks', '-c', 'core.fsmonitor=false', ...args],
      {
        cwd: directory,
        env,
        signal,
        timeout: timeout * 1000,
        maxBuffer: 1024 * 1024,
        windowsHide: true,
      },
    );
    return stdout.trim();
  } catch (error) {
    signal.throwIfAborted();
    const { code, killed } = error as { code?: unknown; killed?: boolean };
    if (killed === true) throw new Error(`git took longer than ${timeout} s`, { cause: error });
    if (code === 'ENOENT' || typeof code === 'number') return '';
    throw error;
  }
}
