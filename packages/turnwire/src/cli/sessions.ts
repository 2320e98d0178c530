import { join } from 'node:path';
import { SessionFolder, type SessionSummary } from '../agent/sessions/session-folder.js';
import { exitStatus } from './process/exit-status.js';
import { UsageError } from './process/usage-error.js';
import { homeOf } from './options/home.js';
import type { Io } from './process/io.js';
import { oneLine } from './screen/text/columns.js';
import { Printer } from './process/terminal.js';

/** The folder of this user's sessions. */
export function sessionsOf(io: Io): SessionFolder | undefined {
  const home = homeOf(io);
  return home === undefined ? undefined : new SessionFolder(join(home, 'sessions'));
}

/** `turnwire sessions`: lists the kept sessions, the most recently used one first. */
export function sessions(io: Io, { json = false }: { json?: boolean }): number {
  const folder = sessionsOf(io);
  if (folder === undefined)
    throw new UsageError(
      'no sessions are kept, because neither TURNWIRE_HOME nor HOME is set; set TURNWIRE_HOME to a folder',
    );
  const stdout = new Printer(io.stdout, io.env);
  const stderr = new Printer(io.stderr, io.env);
  const found = folder.list((message) => stderr.line(`turnwire: ${message}`));
  if (json) stdout.line(JSON.stringify(found, undefined, 2));
  else for (const [index, session] of found.entries()) stdout.line(line(session, -index - 1, stdout.width));
  if (found.length === 0 && !json) stderr.line('There are no sessions.');
  return exitStatus.ok;
}

function line(
  { id, changed, agent, items, title, prompt, usage, cost }: SessionSummary,
  number: number,
  width: number,
): string {
  const spent = `${usage.input_tokens + usage.output_tokens} tokens${cost === undefined ? '' : `, $${cost.toFixed(4)}`}`;
  return oneLine(
    `${number}  ${id}  ${changed.slice(0, 16)}  ${agent}  ${items} items, ${spent}  ${title ?? prompt}`,
    width,
  );
}
