import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { main } from '../../dist/cli/main.js';
import type { Signal } from '../../dist/cli/process/io.js';

export interface ConsoleOptions {
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** The text of standard input; a stream is passed on. @default nothing */
  stdin?: string | Uint8Array | Readable;
  /** Which of the three are terminals. @default none */
  terminals?: readonly ('stdin' | 'stdout' | 'stderr')[];
  columns?: number;
}

export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** A command that runs in this process, with streams of its own instead of the process's. */
export class Console {
  readonly ended: Promise<Ended>;
  readonly #stdout: Collected;
  readonly #stderr: Collected;
  readonly #listeners = new Set<(signal: Signal) => void>();

  constructor(argv: readonly string[], options: ConsoleOptions = {}) {
    const { env = {}, cwd = process.cwd(), terminals = [], columns = 80 } = options;
    const output = (name: 'stdout' | 'stderr'): Collected =>
      Object.assign(new Collected(), { isTTY: terminals.includes(name), columns });
    this.#stdout = output('stdout');
    this.#stderr = output('stderr');
    const stdin = Object.assign(readable(options.stdin ?? ''), { isTTY: terminals.includes('stdin') });
    this.ended = main({
      argv,
      env: { PATH: process.env['PATH'], ...env },
      cwd,
      stdin,
      stdout: this.#stdout,
      stderr: this.#stderr,
      onSignal: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    }).then((status) => ({ status, stdout: this.#stdout.text, stderr: this.#stderr.text }));
  }

  /** Resolves once the output named has it; rejects when the command has ended without. */
  async shows(name: 'stdout' | 'stderr', wanted: string): Promise<void> {
    const output = name === 'stdout' ? this.#stdout : this.#stderr;
    while (!output.text.includes(wanted)) {
      const more = once(output, 'written').then(() => undefined);
      const over = await Promise.race([more, this.ended]);
      if (over !== undefined && !output.text.includes(wanted))
        throw new Error(`ended without "${wanted}": ${JSON.stringify(over)}`);
    }
  }

  /** The output so far. */
  get stdout(): string {
    return this.#stdout.text;
  }

  signal(signal: Signal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  /** How many commands still listen to signals; none once it has ended. */
  get listeners(): number {
    return this.#listeners.size;
  }
}

/** Runs a command to its end. */
export function turnwire(argv: readonly string[], options?: ConsoleOptions): Promise<Ended> {
  return new Console(argv, options).ended;
}

/** A standard input that a test writes to while the command runs. */
export function typing(): PassThrough {
  return new PassThrough();
}

function readable(content: string | Uint8Array | Readable): Readable {
  return content instanceof Readable ? content : Readable.from(content.length === 0 ? [] : [Buffer.from(content)]);
}

class Collected extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
    this.emit('written');
  }
}
