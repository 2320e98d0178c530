import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';

/** A server in a process of its own, so that its CPU and its memory can be measured. */
export class MeasuredServer<Usage> {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** @param file a module that answers `{ start: setup }` with `{ url }`, and `'usage'` with `{ usage }`. */
  static async start<Usage>(
    file: URL,
    setup: object,
    execArgv: readonly string[] = [],
  ): Promise<MeasuredServer<Usage>> {
    const child = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [...execArgv] });
    const { url } = await ask<{ url: string }>(child, { start: setup });
    return new MeasuredServer<Usage>(child, url);
  }

  async usage(): Promise<Usage> {
    return (await ask<{ usage: Usage }>(this.#child, 'usage')).usage;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

async function ask<Reply>(child: ChildProcess, command: object | string): Promise<Reply> {
  const over = new AbortController();
  const ended = once(child, 'exit', { signal: over.signal }).then(
    () => Promise.reject(new Error('a server of the bench ended')),
    () => new Promise<never>(() => {}),
  );
  const answered = once(child, 'message', { signal: over.signal });
  child.send(command);
  try {
    const [reply] = (await Promise.race([answered, ended])) as [Reply];
    return reply;
  } finally {
    over.abort();
  }
}

/** Answers these commands in the process of a server. */
export function serveCommands(start: (setup: never) => Promise<string>, usage: () => object): void {
  process.on('message', (command: { start: never } | 'usage') => {
    if (command === 'usage') {
      process.send?.({ usage: usage() });
      return;
    }
    start(command.start).then(
      (url) => process.send?.({ url }),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit(0));
}
