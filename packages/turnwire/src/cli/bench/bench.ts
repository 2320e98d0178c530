import { writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { median, thousands } from '../process/figures.js';
import { exitStatus, signalStatus } from '../process/exit-status.js';
import { Interrupts } from '../process/interrupts.js';
import { agreesToSpend } from '../run/prompt.js';
import { Printer } from '../process/terminal.js';
import { chart } from './chart.js';
import { endpointOf } from './endpoint.js';
import { runLoop, tokensOf } from './loop.js';
import type { Io } from '../process/io.js';
import type { Endpoint, EndpointOptions } from './endpoint.js';
import type { Loop, LoopSize } from './loop.js';

export interface BenchOptions extends EndpointOptions {
  turns: number;
  /** The size of each call's result, in kilobytes. */
  result: number;
  rounds: number;
  yes?: boolean;
  json?: boolean;
  svg?: string;
}

const transports = ['sse', 'websocket'] as const;

/** `turnwire bench`: the same tool loop over both transports, on the emulator or on the user's own endpoint. */
export async function bench(io: Io, options: BenchOptions): Promise<number> {
  const { turns, result, rounds, json, svg } = options;
  const size: LoopSize = { turns: Math.round(turns), resultBytes: Math.round(result * 1000) };
  const stdout = new Printer(io.stdout, io.env);
  const stderr = new Printer(io.stderr, io.env);
  await using endpoint = await endpointOf(io, options);
  if (endpoint.billed && !(await agreed(io, endpoint, size, options))) return exitStatus.failed;

  const interrupts = new Interrupts(io);
  try {
    const loops: Loop[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // Every other round begins with the other transport, so that neither is always first.
      for (const transport of round % 2 === 0 ? transports : transports.toReversed()) {
        stderr.line(`round ${round + 1} of ${rounds}: ${transport} ...`);
        loops.push(await runLoop(endpoint, transport, size, interrupts.signal));
      }
    }
    if (json) stdout.line(JSON.stringify({ endpoint: endpoint.inWords, billed: endpoint.billed, ...size, loops }));
    else print(stdout, loops, endpoint, size);
    if (svg !== undefined) {
      const title = `${size.turns} turns with tools: ${endpoint.inWords}`;
      await writeFile(isAbsolute(svg) ? svg : join(io.cwd, svg), chart(loops, title));
    }
    return exitStatus.ok;
  } catch (error) {
    if (interrupts.received !== undefined) return signalStatus(interrupts.received);
    throw error;
  } finally {
    interrupts.end();
  }
}

/** Asks before any token is spent, and says how many it will be. */
async function agreed(io: Io, endpoint: Endpoint, size: LoopSize, options: BenchOptions): Promise<boolean> {
  const { input, output } = tokensOf(size);
  const loops = options.rounds * transports.length;
  const cost =
    `${loops} loops of ${size.turns} turns on ${endpoint.inWords}: about ${thousands(input * loops)} input tokens` +
    ` (many of them may be cached) and ${thousands(output * loops)} output tokens, more where the model reasons`;
  new Printer(io.stderr, io.env).line(cost);
  return options.yes === true || agreesToSpend(io);
}

function print(stdout: Printer, loops: readonly Loop[], endpoint: Endpoint, { turns, resultBytes }: LoopSize): void {
  stdout.line(`${turns} turns, ${thousands(resultBytes)} bytes more each turn; ${endpoint.inWords}.\n`);
  const rows = transports.map((transport) => {
    const own = loops.filter((loop) => loop.transport === transport);
    const first = own.flatMap(({ firstEventMs }) => firstEventMs);
    return [
      transport === 'sse' ? 'SSE' : 'WebSocket',
      spread(
        own.map(({ totalMs }) => totalMs / 1000),
        2,
        's',
      ),
      spread(first, 0, 'ms'),
      `${thousands(median(own.map(({ sentBytes }) => sentBytes / 1000)))} kB`,
      thousands(median(own.map(({ inputTokens }) => inputTokens))),
      thousands(median(own.map(({ cachedTokens }) => cachedTokens))),
    ];
  });
  const head = ['transport', 'total', 'first event', 'sent', 'input tokens', 'of these cached'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const format = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  stdout.line(stdout.style('bold', format(head)));
  for (const row of rows) stdout.line(format(row));
  stdout.line(
    '\nMedians, and what all rounds lay between. Input is billed in full over either transport, cached or not.',
  );
  if (!endpoint.billed)
    stdout.line('The emulator answers at once: a real model adds the time it takes, the same over both.');
}

function spread(values: readonly number[], digits: number, unit: string): string {
  const range = `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
  return `${median(values).toFixed(digits)} ${unit} (${range})`;
}
