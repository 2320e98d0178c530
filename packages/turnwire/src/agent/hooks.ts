import type { Hooks } from '../config/schema/hooks.js';
import { report, runCommand, type Variables } from './tools/command.js';

/** A point of a run at which commands of the user's are run. */
export type HookPoint = keyof Hooks;

export interface HookSurroundings {
  /** An absolute path. */
  directory: string;
  env: Variables;
  signal: AbortSignal;
}

/** A command that did not end with status 0, and what it said. */
export interface HookFailure {
  command: string;
  said: string;
}

/**
 * Runs the commands that an agent has for this point, one after another, each told what happens as JSON on its standard input, until one fails. What
 * they print is read only then.
 */
export async function runHooks(
  hooks: Hooks,
  point: HookPoint,
  event: Readonly<Record<string, unknown>> & { tool_name?: string },
  { directory, env, signal }: HookSurroundings,
): Promise<HookFailure | undefined> {
  const input = JSON.stringify({ hook_event_name: point, cwd: directory, ...event });
  for (const { command, timeout } of commandsAt(hooks, point, event.tool_name)) {
    try {
      const ended = await runCommand({ cmd: command, cwd: directory, env, timeout, signal, input });
      if (ended.status !== 0) return { command, said: report(ended) };
    } catch (error) {
      signal.throwIfAborted();
      return { command, said: error instanceof Error ? error.message : String(error) };
    }
  }
  return undefined;
}

function commandsAt(hooks: Hooks, point: HookPoint, tool: string | undefined): { command: string; timeout: number }[] {
  if (point !== 'pre_tool_use' && point !== 'post_tool_use') return hooks[point];
  return hooks[point].flatMap(({ matcher, hooks: own }) => (matches(matcher, tool ?? '') ? own : []));
}

function matches(matcher: string, tool: string): boolean {
  return matcher === '*' || new RegExp(`^(?:${matcher})$`).test(tool);
}
