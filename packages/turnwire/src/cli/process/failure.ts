import { TurnwireError } from '@turnwire/client';
import { AgentError } from '../../agent/agent-error.js';
import { ConfigError } from '../../config/file/problem.js';
import { EmulatorError, ScriptError } from '@turnwire/emulator';
import { exitStatus } from './exit-status.js';
import { printable } from './terminal.js';
import { UsageError } from './usage-error.js';

/** An error in the form for users: a line for each problem, and the exit status. */
export function describeFailure(error: unknown, debug: boolean): { text: string; status: number } {
  const text = printable(error instanceof Error ? error.message : String(error));
  const detail = debug && error instanceof Error ? `\n${printable(error.stack ?? '')}${causes(error)}` : '';
  return { text: `${hinted(error, text)}${detail}`, status: statusOf(error) };
}

function statusOf(error: unknown): number {
  if (
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof EmulatorError ||
    error instanceof ScriptError ||
    // Recognised by its name, so that the gateway's package need not be loaded.
    (error instanceof Error && error.name === 'GatewayConfigError')
  )
    return exitStatus.usage;
  if (error instanceof TurnwireError && (error.code === 'missing_api_key' || error.code === 'invalid_option'))
    return exitStatus.usage;
  return exitStatus.failed;
}

/** Adds advice that only a user of the command line can follow. */
function hinted(error: unknown, text: string): string {
  if (error instanceof TurnwireError && error.server?.code === 'replay_mismatch')
    return `a request of the run differs from its recording: ${printable(error.server.message)}`;
  const limit = error instanceof TurnwireError ? limits[error.code] : undefined;
  if (limit !== undefined) return `${text} (in an agent file: provider_opts.${limit})`;
  if (error instanceof TurnwireError && error.status === 401)
    return `${text} (is the key right, and for this address?)`;
  // An error of this project says what is wrong; any other error is a defect, and the place where it happened is needed.
  const known = error instanceof TurnwireError || error instanceof AgentError || statusOf(error) === exitStatus.usage;
  return known || !(error instanceof Error) || 'code' in error
    ? text
    : `${text} (run again with --debug for the place where it happened)`;
}

/** The client's limits that an agent file can set, by the code of the error when one is exceeded. */
const limits: Readonly<Record<string, string>> = {
  first_event_timeout: 'first_event_timeout',
  idle_timeout: 'idle_timeout',
};

function causes(error: Error): string {
  const { cause } = error;
  if (!(cause instanceof Error)) return '';
  return `\ncaused by: ${printable(cause.stack ?? cause.message)}${causes(cause)}`;
}
