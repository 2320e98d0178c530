import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPrompt, promptText } from '../conversation/pairing.js';
import { transcriptOf } from './transcript.js';
import { createSessionFile, resumeSessionFile, type SessionFile, stateOf } from './session-file.js';
import { readSession } from './session-line.js';
import type { TokenUsage } from '../events.js';

const ending = '.jsonl';

/** A session of a folder, as a list shows it. */
export interface SessionSummary {
  id: string;
  /** The time of its beginning, in ISO 8601. */
  created: string;
  changed: string;
  /** The agent file. */
  file: string;
  agent: string;
  items: number;
  /** The first prompt of the user. */
  prompt: string;
  /** The title of the session; absent for none. */
  title?: string;
  usage: TokenUsage;
  cost?: number;
}

/** Thrown for a session that does not exist or cannot be read; the message says what to do. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
}

/** A folder of sessions, with one file for each. */
export class SessionFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Creates a session. Ids begin with the time, so their order is that of their beginnings. */
  create(file: string, agent: string): SessionFile {
    const created = new Date().toISOString();
    const id = `${created.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(4).toString('hex')}`;
    return createSessionFile(this.#pathOf(id), { turnwire: 'session', version: 1, id, created, file, agent });
  }

  /**
   * Opens a session to continue it: by its id, or by its place among the most recently used ones, `-1` for the last.
   *
   * @throws SessionError if there is none, it cannot be read, or another process has it
   */
  resume(reference: string): SessionFile {
    const id = this.#find(reference, undefined);
    try {
      return resumeSessionFile(this.#pathOf(id));
    } catch (error) {
      throw new SessionError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /**
   * The messages and calls of a session as texts, without opening it to continue it.
   *
   * @param without the id of a session that does not count among the earlier ones
   * @throws SessionError if there is none, or it cannot be read
   */
  transcript(reference: string, without?: string): readonly string[] {
    const path = this.#pathOf(this.#find(reference, without));
    try {
      return transcriptOf(stateOf(readSession(readFileSync(path), path)).items);
    } catch (error) {
      throw new SessionError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  #find(reference: string, without: string | undefined): string {
    const id = /^-\d+$/.test(reference) ? this.#recent(Number(reference), without) : reference;
    // An id is a plain name: no path can lead out of the folder.
    if (!/^[A-Za-z0-9_-]+$/.test(id) || !this.#ids().includes(id))
      throw new SessionError(`there is no session ${reference}; "turnwire sessions" lists them`);
    return id;
  }

  /** All sessions, the most recently used one first. A session that cannot be read is left out, and `unreadable` is called with the reason. */
  list(unreadable: (message: string) => void): SessionSummary[] {
    return this.#byUse().flatMap((id) => {
      const path = this.#pathOf(id);
      try {
        const { head, items, agent, title, usage, cost } = stateOf(readSession(readFileSync(path), path));
        const first = items.findIndex(isPrompt);
        return [
          {
            id,
            created: head.created,
            changed: statSync(path).mtime.toISOString(),
            file: head.file,
            agent,
            items: items.length,
            prompt: first === -1 ? '' : promptText(items.slice(0, first + 1)),
            ...(title === undefined ? {} : { title }),
            usage,
            ...(cost === undefined ? {} : { cost }),
          },
        ];
      } catch (error) {
        unreadable(error instanceof Error ? error.message : String(error));
        return [];
      }
    });
  }

  #recent(ago: number, without: string | undefined): string {
    const id = this.#byUse().filter((each) => each !== without)[-ago - 1];
    if (id === undefined) throw new SessionError(`there is no session ${ago}; "turnwire sessions" lists them`);
    return id;
  }

  #byUse(): string[] {
    const used = new Map(this.#ids().map((id) => [id, statSync(this.#pathOf(id)).mtimeMs]));
    return [...used.keys()].sort((a, b) => (used.get(b) ?? 0) - (used.get(a) ?? 0) || (a < b ? 1 : -1));
  }

  #ids(): string[] {
    try {
      return readdirSync(this.#folder)
        .filter((name) => name.endsWith(ending))
        .map((name) => name.slice(0, -ending.length));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }

  #pathOf(id: string): string {
    return join(this.#folder, `${id}${ending}`);
  }
}
