import { readdir } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { depthArgument } from '../../../config/schema/agents/builtin-hooks.js';
import type { BuiltinHook } from '../../../config/schema/agents/hooks.js';
import { environment, today } from '../../conversation/instructions.js';
import { promptFile, promptFilesBelow, promptFileText, type PromptFile } from '../../conversation/prompt-files.js';
import { repeatedResult } from '../../calls/repeated-result.js';
import { riskOf } from '../../permissions/risky-commands.js';
import { redactText, redactValue } from '../../turn/redaction.js';
import type { Variables } from '../../tools/commands/command.js';
import { orAbort } from '../../base/abort.js';
import { rawMembers } from '../../base/json-text.js';
import { firstCharacters } from '../../base/well-formed.js';
import { type HookFields, noFields } from '../hook-answer.js';
import { filledIn } from '../hook-template.js';
import { git } from './git.js';
import { forgetLarge, limited } from './large-results.js';
import { snapshot, tidy } from './snapshot.js';

/** The surroundings of a builtin hook. */
export interface BuiltinContext {
  /** An absolute path. */
  directory: string;
  env: Variables;
  now: Date;
  signal: AbortSignal;
  /** The folder of turnwire in the user's home. */
  home: string | undefined;
  /** True where the model has this text already as the result of the same call. */
  isRepeated: (text: string) => boolean;
  /** Asks the hooks that guard prompt files. @throws Error where one of them does not approve */
  approve: (file: PromptFile) => Promise<void>;
}

/** The input of a hook, the same as for commands. */
export type HookInput = Readonly<Record<string, unknown>>;

type Builtin = (
  args: readonly string[],
  told: HookInput,
  around: BuiltinContext,
) => Promise<Partial<HookFields>> | Partial<HookFields>;

/** The most characters of `git diff` that are passed on. */
const longestDiff = 4096;
/** The most entries of a folder that are listed. */
const mostEntries = 100;
const defaultCommits = '10';

const builtins: Readonly<Record<BuiltinHook['command'], Builtin>> = {
  add_date: (_args, _told, { now }) => ({ context: today(now) }),
  add_environment_info: (_args, _told, { directory }) => ({ context: environment(directory) }),
  async add_prompt_files(args, _told, { directory, approve }) {
    const depth = Number(args.map((arg) => depthArgument.exec(arg)?.[1]).find((each) => each !== undefined) ?? 0);
    const files = args.filter((arg) => !depthArgument.test(arg));
    const found = (await Promise.all(files.map((file) => promptFile(directory, file)))).filter(
      (file) => file !== undefined,
    );
    for (const file of found) await approve(file);
    const below = await promptFilesBelow(directory, files, depth);
    return says([...found.map(promptFileText), below].filter((text) => text !== '').join('\n\n'));
  },
  add_git_status: async (_args, _told, around) =>
    says(titled('git status', await gitText(around, ['status', '--short', '--branch']))),
  async add_git_diff([form], _told, around) {
    const diff = await gitText(around, [
      'diff',
      '--no-ext-diff',
      '--no-textconv',
      ...(form === 'full' ? [] : ['--stat']),
    ]);
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
      titled(
        `The last ${count} commits`,
        await gitText(around, ['log', '--oneline', '--no-show-signature', '-n', count]),
      ),
    ),
  add_context: (args, told) => says(args.map((text) => filledIn(text, told)).join('\n')),
  async http_post([address = '', body = ''], told, { signal }) {
    const { openHttp } = await import('../../tools/mcp/transports/http.js');
    const http = openHttp();
    try {
      const response = await orAbort(
        http.fetch(address, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: filledIn(body, told),
        }),
        signal,
        0,
      );
      if (!response.ok) throw new Error(`${new URL(address).origin} refused it (status ${response.status})`);
      return {};
    } finally {
      http.close();
    }
  },
  elide_repeated_tool_results(_args, { tool_response: response }, { isRepeated }) {
    if (typeof response !== 'string') return {};
    const short = repeatedResult(response);
    return short.length < response.length && isRepeated(response) ? { updatedToolResponse: short } : {};
  },
  async limit_large_tool_results(
    _args,
    { hook_event_name: point, tool_response: response, tool_name: tool, session_id: id },
  ) {
    if (point === 'session_end') await forgetLarge(String(id));
    const text = typeof response === 'string' ? await limited(response, String(tool), String(id)) : undefined;
    return text === undefined ? {} : { updatedToolResponse: text };
  },
  safer_shell(_args, { tool_input: input }) {
    const cmd: unknown = typeof input === 'object' && input !== null && 'cmd' in input ? input.cmd : undefined;
    const why = typeof cmd === 'string' ? riskOf(cmd) : undefined;
    return why === undefined ? {} : { ask: why };
  },
  async snapshot(_args, { hook_event_name: point, session_id: id }, around) {
    if (around.home === undefined) throw new Error('there is no place for snapshots: set TURNWIRE_HOME, or HOME');
    if (point === 'session_end') await tidy(around, around.home);
    else await snapshot(around, around.home, `${String(point)} of ${String(id)}`);
    return {};
  },
  // In docker-agent this hook unloads models of Docker's own engine, which turnwire does not support.
  unload: () => ({}),
  max_iterations([most = '0'], { iteration }) {
    const over = typeof iteration === 'number' && iteration > Number(most);
    return over ? { blocked: `the run is not done after ${most} turns` } : {};
  },
  transform_json(keys, { tool_response: response, tool_error: failed }) {
    if (failed === true) return {};
    const json: unknown = typeof response === 'string' ? JSON.parse(response) : undefined;
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new Error('what the tool returned is no JSON object');
    const members = rawMembers(String(response));
    const kept = keys.flatMap((key) => {
      const value = members.get(key);
      return value === undefined ? [] : [`${JSON.stringify(key)}:${value}`];
    });
    return { updatedToolResponse: `{${kept.join(',')}}` };
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

/** Runs a builtin hook. @throws Error that says why it has no answer */
export async function runBuiltin(
  { command, args = [] }: BuiltinHook,
  told: HookInput,
  around: BuiltinContext,
): Promise<HookFields> {
  return { ...noFields, ...(await builtins[command](args, told, around)) };
}

function says(text: string): Partial<HookFields> {
  return text === '' ? {} : { context: text };
}

function titled(title: string, text: string): string {
  return text === '' ? '' : `${title}:\n${text}`;
}

/** The output of git in the working directory; empty where that is no repository, or git is missing. */
async function gitText(around: BuiltinContext, args: readonly string[]): Promise<string> {
  return ((await git(around, args)) ?? '').trim();
}
