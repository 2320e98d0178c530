import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPrompt, promptText } from '../conversation/pairing.js';
import { transcriptOf } from './transcript.js';
import { createSessionFile, resumeSessionFile, type SessionFile, stateOf } from './session-file.js';
import { readSession } from './session-line.js';
import type { TokenUsage } from '../events.js';

const ending = '.jsonl';

/** One session of a folder, for a list. */
export interface SessionSummary {
  id: string;
  /** ISO 8601. */
  created: string;
  changed: string;
  /** The agent file. */
  file: string;
  agent: string;
  items: number;
  /** The first thing that the user said. */
  prompt: string;
  /** Absent: it has none. */
  title?: string;
  usage: TokenUsage;
  cost?: number;
}

/** No such session, or one that cannot be read; the message says what to do. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
}

/** The sessions that are kept in a folder, a file each. */
export class SessionFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A new session. Ids begin with the time, so that their order is that of their beginnings. */
  create(file: string, agent: string): SessionFile {
    const created = new Date().toISOString();
    const id = `${created.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(4).toString('hex')}`;
    return createSessionFile(this.#pathOf(id), { turnwire: 'session', version: 1, id, created, file, agent });
  }

  /**
   * Opens a session to go on: one by its id, or by how many sessions ago it was used last, `-1` for the last one.
   *
   * @throws SessionError if there is none, it cannot be read, or another process has it.
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
   * What was said in a session, a text for each message and call, without opening it to go on.
   *
   * @param without the id of the session that is not counted among the earlier ones
   * @throws SessionError if there is none, or it cannot be read.
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
    // An id is a name and no path: nothing outside of the folder is opened.
    if (!/^[A-Za-z0-9_-]+$/.test(id) || !this.#ids().includes(id))
      throw new SessionError(`there is no session ${reference}; "turnwire sessions" lists them`);
    return id;
  }

  /** All of them, the one that was used last first. One that cannot be read is left out, and `unreadable` told why. */
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
