import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The program that `npx turnwire` runs. */
export const program = fileURLToPath(new URL('../../bin/turnwire.js', import.meta.url));

export interface ChildOptions {
  cwd?: string | undefined;
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Milliseconds until it is killed, so that a command that hangs fails its own test. @default 60_000 */
  most?: number;
}

export interface Left {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command in a process of its own. Its standard input stays open until the test ends it. */
export class Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly left: Promise<Left>;
  #stdout = '';
  #stderr = '';

  constructor(command: string, args: readonly string[], { cwd, env = {}, most = 60_000 }: ChildOptions = {}) {
    // Nothing of the environment of the tests that could decide a test: keys, addresses, colours; and no home, where sessions would be kept.
    const { PATH, TMPDIR } = process.env;
    this.process = spawn(command, args, { cwd, env: { PATH, TMPDIR, ...env }, stdio: 'pipe' });
    const timer = setTimeout(() => this.process.kill('SIGKILL'), most);
    this.process.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.process.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    // The process may end before it has read all input.
    this.process.stdin.on('error', () => undefined);
    this.left = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (status, signal) => {
        clearTimeout(timer);
        resolve({ status, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Resolves once the output has `wanted`; rejects when the process has ended without. */
  async shows(name: 'stdout' | 'stderr', wanted: string): Promise<string> {
    let over = false;
    void this.left.then(() => (over = true));
    for (;;) {
      const text = name === 'stdout' ? this.#stdout : this.#stderr;
      if (text.includes(wanted)) return text;
      if (over) throw new Error(`ended without "${wanted}": ${JSON.stringify(await this.left)}`);
      const more = new Promise((resolve) => this.process[name].once('data', resolve));
      await Promise.race([more, this.left]);
    }
  }
}

/** `turnwire` as a process. */
export function turnwireProcess(argv: readonly string[], options?: ChildOptions): Child {
  return new Child(process.execPath, [program, ...argv], options);
}
