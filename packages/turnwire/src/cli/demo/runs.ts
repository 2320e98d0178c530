import { cp, mkdtemp, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestAuthority, startEmulator, startLink } from '@turnwire/emulator';
import { openTools, type Toolbox } from '../../agent/tools/toolsets.js';
import { loadConfig } from '../../config/config.js';
import { ordinaryFetch, turnwireFetch } from './fetch-programs.js';
import { pythonThroughServe } from './python-program.js';
import { startTlsFront } from './tls-front.js';
import type { Config } from '../../config/config.js';
import type { Emulator } from '@turnwire/emulator';
import type { Io } from '../process/io.js';
import type { Endpoint, LoopTurn, Program } from './program.js';

/** One run of the same program, and what is different about it. */
export interface Setup {
  id: 'fetch' | 'turnwire' | 'turnwire-cut' | 'serve';
  title: string;
  open: (endpoint: Endpoint) => Program | Promise<Program>;
  /** After this turn the connection of the next one is cut, its request under way. */
  cutAfter?: number;
}

export const setups: readonly Setup[] = [
  { id: 'fetch', title: 'the ordinary fetch', open: ordinaryFetch },
  { id: 'turnwire', title: 'createFetch()', open: turnwireFetch },
  { id: 'turnwire-cut', title: 'createFetch(), cut', open: turnwireFetch, cutAfter: 12 },
];

export function pythonSetup(python: string, env: Io['env']): Setup {
  return { id: 'serve', title: 'Python, by serve', open: (endpoint) => pythonThroughServe(python, endpoint, env) };
}

export interface LinkSettings {
  rttMs: number;
  uplinkBitsPerSecond: number;
}

/** Linux begins with ten segments, and begins again after a retransmission timeout without sending, which is 200 ms at least. */
const slowStart = { windowBytes: 10 * 1448, windowIdleMs: 250 };

/** What one run came to. Bytes and connections are counted by the link, outside of what is measured. */
export interface Run {
  setup: Setup;
  turns: readonly LoopTurn[];
  /** Turns that went up as a delta. */
  deltas: number;
  /** From the beginning of the loop to the end of its last turn, in milliseconds. */
  wallMs: number;
  /** Everything the client wrote to the network, TLS, headers and framing included. */
  sentBytes: number;
  medianFirstEventMs: number;
  connections: number;
  /** All items of the conversation, as the program has them. */
  history: readonly unknown[];
  /** What the server had before it for each turn, as the server has it. */
  contexts: readonly (readonly unknown[])[];
  /** The file that the agent has written. */
  report: string;
}

/** The example that the demo runs; it lies in the package, so that the demo runs from there too. */
const example = fileURLToPath(new URL('../../examples/source-report/', import.meta.url));
/** What its tools look at: the program itself, the only source files that are there wherever it is installed. */
const sources = fileURLToPath(new URL('../../', import.meta.url));

const question =
  'Find the largest and the oldest source files under project/, read them, and write what you find to report.md.';

/** The number of turns that the script has; for progress alone. */
export const expectedTurns = 25;

export interface RunOptions {
  io: Io;
  link: LinkSettings;
  /** What the tools work in: see `createWorkspace`. */
  folder: string;
  signal: AbortSignal;
  onTurn: (turn: number) => void;
}

/** Runs the program once, over a link of its own. */
export async function runOnce(setup: Setup, options: RunOptions): Promise<Run> {
  const { io, folder, signal, onTurn } = options;
  const { root: agent } = await loadConfig(join(example, 'agent.yaml'));
  const { tools, close: closeTools } = await toolsFor(agent, folder, io);
  const authority = await createTestAuthority();
  const emulator = await startEmulator({ script: join(example, 'script.yaml') });
  const front = await startTlsFront({ to: emulator.port, ...authority.issue({ hosts: ['127.0.0.1'] }) });
  const link = await startLink({ to: front.port, ...options.link, ...(options.link.rttMs > 0 && slowStart) });
  let program: Program | undefined;
  try {
    program = await setup.open({ url: `https://127.0.0.1:${link.port}/v1`, ca: authority.cert });
    const result = await program.run({
      instructions: agent.instruction,
      tools,
      question,
      signal,
      onTurn: (turn) => {
        onTurn(turn);
        if (turn === setup.cutAfter) front.cutNext();
      },
    });
    return {
      setup,
      turns: result.turns,
      deltas: result.turns.filter(({ plan }) => plan === 'delta').length,
      wallMs: result.turns.at(-1)?.endedMs ?? 0,
      sentBytes: link.sentBytes,
      medianFirstEventMs: median(result.turns.map(({ firstEventMs }) => firstEventMs)),
      connections: link.connections,
      history: result.history,
      contexts: contextsOf(emulator),
      report: await takeReport(folder, setup),
    };
  } finally {
    await closeTools();
    await program?.close();
    await link.close();
    await front.close();
    await emulator.close();
  }
}

/** A folder with a copy of the sources, with their dates: all runs look at the same. */
export async function createWorkspace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-demo-'));
  await cp(sources, join(folder, 'project'), {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !/\.(?:map|d\.ts|tsbuildinfo)$/.test(path),
  });
  return folder;
}

/** The report of a run, put aside so that the next one does not find it. */
async function takeReport(folder: string, { id }: Setup): Promise<string> {
  const report = join(folder, `report-${id}.md`);
  await rename(join(folder, 'report.md'), report);
  return readFile(report, 'utf8');
}

function toolsFor(agent: Config['root'], folder: string, io: Io): Promise<Toolbox> {
  // The same order of names wherever it runs.
  return openTools(agent.toolsets, { directory: folder, env: { ...io.env, LC_ALL: 'C' } });
}

function contextsOf(emulator: Emulator): readonly (readonly unknown[])[] {
  return emulator.journal.turns().map(({ transcript, output }) => [...transcript, ...output]);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
