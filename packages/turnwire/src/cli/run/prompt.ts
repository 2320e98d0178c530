import { createInterface } from 'node:readline/promises';
import { setImmediate as nextRound } from 'node:timers/promises';
import { UsageError } from '../process/usage-error.js';
import type { Io } from '../process/io.js';

/** The largest prompt from standard input, in bytes. */
const maxPromptBytes = 10 * 1024 * 1024;

/**
 * The prompt of a run that has one: the argument, or all of standard input for `-`.
 *
 * @throws UsageError if there is none, or it is too long.
 */
export async function readPrompt(io: Io, argument: string): Promise<string> {
  if (argument !== '-') {
    if (argument.trim() === '') throw new UsageError('the prompt is empty: say what the agent is to do');
    return argument;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of io.stdin) {
    const buffer = Buffer.from(chunk as Uint8Array | string);
    bytes += buffer.length;
    if (bytes > maxPromptBytes)
      throw new UsageError(
        `standard input holds more than ${maxPromptBytes / 1024 / 1024} MiB: give the agent a file to read instead`,
      );
    chunks.push(buffer);
  }
  const prompt = Buffer.concat(chunks).toString('utf8').trim();
  if (prompt === '') throw new UsageError('standard input held no prompt');
  return prompt;
}

/** Drops what the user has typed so far: it cannot be the answer to a question that was not shown yet. */
export async function discardTyped({ stdin }: Io): Promise<void> {
  if (stdin.readableEnded || stdin.destroyed) return;
  const leaveOut = (): void => undefined;
  stdin.on('data', leaveOut);
  // Input that has arrived is read in the next rounds of the event loop.
  for (let round = 0; round < 3; round += 1) await nextRound();
  stdin.off('data', leaveOut);
  stdin.pause();
}

/**
 * Asks for one line at the terminal; undefined when the input ends (Ctrl-D, a closed terminal) or `signal` fires. Ctrl-C at the question calls `onInterrupt`,
 * because the terminal makes no signal of it then.
 */
export async function ask(
  io: Io,
  question: string,
  options: { signal?: AbortSignal; onInterrupt: () => void },
): Promise<string | undefined> {
  // On an input that has ended, readline would wait for ever.
  if (io.stdin.readableEnded || io.stdin.destroyed) return undefined;
  const lines = createInterface({
    input: io.stdin,
    output: io.stderr,
    terminal: io.stdin.isTTY === true && io.stderr.isTTY === true,
  });
  const { signal, onInterrupt } = options;
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      lines.once('close', () => resolve(undefined));
      lines.on('SIGINT', () => {
        onInterrupt();
        lines.close();
      });
      lines.question(question, signal === undefined ? {} : { signal }).then(resolve, (error: unknown) => {
        if (error instanceof Error && error.name === 'AbortError') resolve(undefined);
        else reject(error);
      });
    });
  } finally {
    lines.close();
    io.stdin.pause();
  }
}

/** Asks whether tokens may be spent; a caller has shown how many. @throws UsageError without a terminal to ask at */
export async function agreesToSpend(io: Io): Promise<boolean> {
  if (!io.stdin.isTTY)
    throw new UsageError('this may spend tokens, and there is no terminal to ask at: agree with --yes');
  const answer = await ask(io, 'Spend them? [y/N] ', { onInterrupt: () => {} });
  return answer?.trim().toLowerCase() === 'y';
}
