import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { InputItem } from '@turnwire/client';
import { interrupted } from '../calls/calls.js';
import type { HistoryKeeper } from '../conversation/history.js';
import type { ItemOrigin } from '../turn/item-origin.js';
import { openCalls } from '../conversation/pairing.js';
import { notRun } from '../calls/prepare-call.js';
import { addUsage, noTokens } from '../turn/usage.js';
import { lockFile, type Lock } from './lock.js';
import { readSession, type SessionEntry, type SessionHead, type SessionText } from './session-line.js';

/** The largest file that is read, in bytes. */
const mostBytes = 512 * 1024 * 1024;

/** The state of a session at its end. */
export interface SessionState {
  head: SessionHead;
  /** All items, as they are sent. Calls without an answer at the end of the process have one. */
  items: readonly InputItem[];
  /** The models that have made the items. */
  makers: ReadonlyMap<InputItem, ItemOrigin>;
  /** The agent at work. */
  agent: string;
  /** The title of the session; undefined for none. */
  title: string | undefined;
  usage: typeof noTokens;
  cost: number | undefined;
}

/** A session file that is open for writing. No other process writes to it meanwhile. */
export interface SessionFile extends HistoryKeeper {
  readonly id: string;
  readonly state: SessionState;
  /** True where something was ever said in the session. */
  readonly used: boolean;
  append(entry: SessionEntry): void;
  close(): void;
}

/**
 * Creates the file of a new session.
 *
 * @throws Error if it cannot be written
 */
export function createSessionFile(path: string, head: SessionHead): SessionFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = lockFile(path);
  // The file is not readable by others, since it has everything that was said and read.
  const file = openSync(path, 'wx', 0o600);
  writeLine(file, head);
  syncFolder(dirname(path));
  return opened(path, file, lock, stateOf({ head, entries: [], length: 0 }));
}

/**
 * Opens the file of an earlier session to continue it. A last line that was not written to its end is cut off, and calls without an answer get one, so that
 * the history can be sent.
 *
 * @throws Error if it is no session file, or another process is writing to it
 */
export function resumeSessionFile(path: string): SessionFile {
  const lock = lockFile(path);
  let file: number | undefined;
  try {
    file = openSync(path, 'r+');
    if (fstatSync(file).size > mostBytes) throw new Error(`${path} is larger than 512 MiB`);
    const text = readSession(readFileSync(path), path);
    ftruncateSync(file, text.length);
    const state = stateOf(text);
    const answers = missingAnswers(text);
    // The position is the end of the text, since the descriptor stands at the beginning.
    if (answers.length > 0) writeLine(file, { kind: 'items', items: answers }, text.length);
    closeSync(file);
    return opened(path, openSync(path, 'a'), lock, { ...state, items: [...state.items, ...answers] });
  } catch (error) {
    if (file !== undefined) closeQuietly(file);
    lock.release();
    throw error;
  }
}

/** The state of a session, without opening it to continue it. */
export function stateOf({ head, entries }: SessionText): SessionState {
  let items: InputItem[] = [];
  const makers = new Map<InputItem, ItemOrigin>();
  const made = (item: InputItem | undefined, by: ItemOrigin | null | undefined): void => {
    if (item !== undefined && typeof by === 'string') makers.set(item, by);
  };
  let { agent } = head;
  let title: string | undefined;
  let usage = noTokens;
  let cost: number | undefined;
  for (const entry of entries) {
    if (entry.kind === 'items') {
      items.push(...entry.items);
      for (const item of entry.items) made(item, entry.maker);
    }
    if (entry.kind === 'compacted') {
      items = [...entry.items];
      for (const [index, by] of entry.makers?.entries() ?? []) made(items[index], by);
    }
    if (entry.kind === 'agent') ({ agent } = entry);
    if (entry.kind === 'title') ({ title } = entry);
    if (entry.kind === 'usage') {
      usage = addUsage(usage, entry.usage);
      if (entry.cost !== undefined) cost = (cost ?? 0) + entry.cost;
    }
  }
  return { head, items, makers, agent, title, usage, cost };
}

/** Answers for the calls that had none when the process ended. */
function missingAnswers(text: SessionText): InputItem[] {
  const begun = new Set<string>();
  for (const entry of text.entries) {
    if (entry.kind === 'begun') begun.add(entry.call_id);
    // An id may be used again in a later turn, where it names another call.
    if (entry.kind === 'items')
      for (const item of entry.items) if ('call_id' in item) begun.delete(String(item.call_id));
  }
  return openCalls(stateOf(text).items).map(({ id, answer }) => ({
    type: answer,
    call_id: id,
    output: begun.has(id) ? interrupted : notRun,
  }));
}

function opened(path: string, file: number, lock: Lock, state: SessionState): SessionFile {
  let open = true;
  let used = state.items.length > 0;
  return {
    id: state.head.id,
    state,
    get used() {
      return used;
    },
    append(entry) {
      if (!open) throw new Error(`the session ${state.head.id} is closed`);
      used ||= entry.kind === 'items';
      writeLine(file, entry);
    },
    close() {
      if (!open) return;
      open = false;
      closeSync(file);
      // Nothing was said in this session, so nobody will want to continue it.
      if (state.items.length === 0 && isEmpty(path)) rmSync(path, { force: true });
      lock.release();
    },
  };
}

function isEmpty(path: string): boolean {
  try {
    return readSession(readFileSync(path), path).entries.length === 0;
  } catch {
    return false;
  }
}

/** Writes a line and syncs it before anything else happens: the file then has everything that was done. */
function writeLine(file: number, value: SessionHead | SessionEntry, position?: number): void {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let written = 0; written < line.length;)
    written += writeSync(
      file,
      line,
      written,
      line.length - written,
      position === undefined ? null : position + written,
    );
  fsyncSync(file);
}

/** Syncs a folder, so that the name of a new file also survives a power failure. Not every system can. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // Windows opens no folders.
  }
}

function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch {
    // The descriptor was closed already.
  }
}
