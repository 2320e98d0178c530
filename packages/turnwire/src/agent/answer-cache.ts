import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { AnswerCache as Settings } from '../config/agent.js';

/** The largest file, in bytes. */
const fileLimit = 16 * 1024 * 1024;

const stored = z.object({ turnwire: z.literal('answers'), answers: z.record(z.string(), z.string()) });

/** Answers to questions that were asked before, in memory or in a file. When two processes write at the same time, the later write replaces the other. */
export class AnswerCache {
  readonly #settings: Settings;
  readonly #file: string | undefined;
  #answers: Record<string, string> = {};

  /** @param file the file of the cache; undefined: it is kept in memory */
  constructor(settings: Settings, file: string | undefined) {
    this.#settings = settings;
    this.#file = file;
  }

  /** @throws Error if the file cannot be read, or is not a cache. */
  async find(question: string): Promise<string | undefined> {
    await this.#load();
    const key = this.#keyOf(question);
    return Object.hasOwn(this.#answers, key) ? this.#answers[key] : undefined;
  }

  /** @throws Error if the file cannot be written. */
  async add(question: string, answer: string): Promise<void> {
    await this.#load();
    this.#answers = { ...this.#answers, [this.#keyOf(question)]: answer };
    if (this.#file === undefined) return;
    const text = `${JSON.stringify({ turnwire: 'answers', answers: this.#answers }, undefined, 2)}\n`;
    if (Buffer.byteLength(text) > fileLimit) throw new Error(`${this.#file} is full; delete it to begin anew`);
    await mkdir(dirname(this.#file), { recursive: true });
    const draft = `${this.#file}.${process.pid}.tmp`;
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, this.#file);
  }

  #keyOf(question: string): string {
    const { caseSensitive, trimSpaces } = this.#settings;
    const trimmed = trimSpaces ? question.trim() : question;
    return createHash('sha256')
      .update(caseSensitive ? trimmed : trimmed.toLowerCase())
      .digest('hex');
  }

  async #load(): Promise<void> {
    if (this.#file === undefined) return;
    let text: string;
    try {
      const found = await stat(this.#file);
      if (!found.isFile() || found.size > fileLimit) throw new Error(`${this.#file} is no file of at most 16 MiB`);
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      throw error;
    }
    const read = stored.safeParse(parsed(text));
    if (!read.success) throw new Error(`${this.#file} holds no answers of turnwire; give "cache.path" another file`);
    this.#answers = read.data.answers;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
