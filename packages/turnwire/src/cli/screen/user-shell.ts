import { outcome, runCommand, type Variables } from '../../agent/tools/commands/command.js';
import { ToolFailure } from '../../agent/tools/tool.js';
import { outputText } from '../../agent/tools/output.js';

/** The longest time of a command, in seconds. */
const timeout = 300;

/** Runs a command of the user, and gives its output. The agent is not told of it. Never rejects. */
export async function runForUser(
  cmd: string,
  { cwd, env, signal }: { cwd: string; env: Variables; signal: AbortSignal },
): Promise<string> {
  try {
    return outputText(outcome(await runCommand({ cmd, cwd, env, timeout, signal })));
  } catch (error) {
    if (error instanceof ToolFailure) return outputText(error.output);
    return error instanceof Error ? error.message : String(error);
  }
}
