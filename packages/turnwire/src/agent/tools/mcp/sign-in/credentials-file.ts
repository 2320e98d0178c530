import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';

/** The results of a sign-in at one server, in the types of the SDK. */
export interface Credentials {
  /** The client that was registered with this server, and the port of its redirects. */
  client?: OAuthClientInformationMixed;
  port?: number;
  tokens?: OAuthTokens;
}

/** The credentials of one server: in a file that the user alone can read, or, without a file, in memory. */
export class CredentialsFile {
  readonly #path: string | undefined;
  #kept: Credentials = {};

  /** @param home the folder of turnwire in the user's home; undefined: the credentials end with the process */
  constructor(home: string | undefined, server: string, clientId = '') {
    const name = createHash('sha256').update(`${server}\n${clientId}`).digest('hex').slice(0, 32);
    this.#path = home === undefined ? undefined : join(home, 'oauth', `${name}.json`);
  }

  /** Reads the credentials again, since another process may have renewed them. A file that cannot be read counts as empty. */
  async read(): Promise<Credentials> {
    if (this.#path === undefined) return this.#kept;
    try {
      const value: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      return typeof value === 'object' && value !== null ? value : {};
    } catch {
      return this.#kept;
    }
  }

  /** Replaces the credentials as a whole. @throws Error if the file cannot be written */
  async write(credentials: Credentials): Promise<void> {
    this.#kept = credentials;
    if (this.#path === undefined) return;
    const draft = `${this.#path}.${randomUUID()}`;
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    try {
      await writeFile(draft, JSON.stringify(credentials), { mode: 0o600, flag: 'wx' });
      await rename(draft, this.#path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}
