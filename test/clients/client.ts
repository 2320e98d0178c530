import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createTestAuthority, startEmulator } from '@turnwire/emulator';
import type { Emulator, EmulatorOptions, JournalConnection, JournalTurn } from '@turnwire/emulator';

// Programs that people run, unmodified, against the emulator: their own words decide whether it is good enough.
// `npm run test:clients` installs them below .cache/clients.

const turnwire = fileURLToPath(new URL('../../packages/turnwire/bin/turnwire.js', import.meta.url));
export const installed = fileURLToPath(new URL('../../.cache/clients/', import.meta.url));

export function bin(name: string): string {
  return join(installed, 'node_modules', '.bin', name);
}

/** A Node of a line that some clients need, and that decodes zstd (22.15): the one that npm has as a package. */
export const newerNode = join(installed, 'node_modules', 'node', 'bin', 'node');

/** A program of ours that calls a library: one file of `programs/`. */
export function program(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.js`, import.meta.url));
}

/** The options of a test that needs a package or a program of one: why it is skipped, and time for a machine that is busy. */
export function needs(name: string): { readonly timeout: number; readonly skip: string | false } {
  const isThere = existsSync(bin(name)) || existsSync(join(installed, 'node_modules', name));
  const skip = !isThere && `${name} is not installed; npm run test:clients does that`;
  return { timeout: 300_000, skip };
}

export interface Ended {
  readonly status: unknown;
  readonly said: string;
}

export async function run(
  t: TestContext,
  program: string,
  args: readonly string[],
  cwd: string,
  env: object,
): Promise<Ended> {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  const [status] = await once(child, 'close');
  return { status, said };
}

/** A folder for the client's own files. Codex refuses to put its helpers below the folder for temporary files. */
export async function home(t: TestContext): Promise<string> {
  await mkdir(join(homedir(), '.cache'), { recursive: true });
  const folder = await mkdtemp(join(homedir(), '.cache', 'turnwire-clients-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Without a script every turn is an echo. */
export async function start(t: TestContext, script?: object, options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ ...options, script: script && { after: 'echo', ...script } });
  t.after(() => emulator.close());
  return emulator;
}

/** An emulator as a process of another Node, with TLS; its journal by the control API. */
export interface EmulatorProcess {
  readonly url: string;
  /** The certificate of the authority that a client is to trust, in PEM. */
  readonly ca: string;
  readonly journal: () => Promise<{ turns: JournalTurn[]; connections: JournalConnection[] }>;
}

export async function startProcess(
  t: TestContext,
  node: string,
  script: object,
  dialect: string,
): Promise<EmulatorProcess> {
  const folder = await home(t);
  const file = (name: string) => join(folder, name);
  const authority = await createTestAuthority();
  const { cert, key } = authority.issue({ hosts: ['127.0.0.1'] });
  const files = { 'cert.pem': cert, 'key.pem': key, 'script.yaml': JSON.stringify({ after: 'echo', ...script }) };
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
  const tls = ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')];
  const args = [turnwire, 'emulate', file('script.yaml'), '--dialect', dialect, '--json', ...tls];
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    ca: authority.cert,
    journal: async () => {
      const asked = get(new URL('/emulator/journal', url), { ca: authority.cert });
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      let body = '';
      for await (const chunk of response) body += String(chunk);
      return JSON.parse(body) as { turns: JournalTurn[]; connections: JournalConnection[] };
    },
  };
}

/** The fields of a turn's line in the log of `turnwire serve` that tests look at. */
export interface ServedTurn {
  readonly downstream: 'sse' | 'json' | 'websocket';
  readonly outcome: string;
  readonly attempts: number;
}

export interface Served {
  readonly url: string;
  /** The lines of the first turns, as many as are asked for, when they have come. */
  readonly turns: (count: number) => Promise<readonly ServedTurn[]>;
}

/** `turnwire serve` as a process in front of an upstream. */
export async function serve(t: TestContext, upstream: string): Promise<Served> {
  const args = [turnwire, 'serve', '--upstream', upstream, '--port', '0', '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const [first] = (await once(lines, 'line')) as [string];
  const turns: ServedTurn[] = [];
  lines.on('line', (line) => {
    const said = JSON.parse(line) as ServedTurn & { event: string };
    if (said.event === 'turn') turns.push(said);
  });
  return {
    url: (JSON.parse(first) as { url: string }).url,
    turns: async (count) => {
      while (turns.length < count) await once(lines, 'line');
      return turns;
    },
  };
}

/** How a client reaches an emulator: by its own address, and by that of a gateway before it. */
export const ways: readonly (readonly [how: string, reach: (t: TestContext, url: string) => Promise<string>])[] = [
  ['', (_t, url) => Promise.resolve(url)],
  [' through a gateway', async (t, url) => (await serve(t, url)).url],
];

/** How the turns went that a client asked for; a warm-up has no output. */
export function told(turns: readonly JournalTurn[]): readonly (readonly [string, string, string])[] {
  return turns.map(({ transport, plan, outcome }) => [transport, plan, outcome]);
}
