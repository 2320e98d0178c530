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
import { median } from '../process/figures.js';
import type { Config } from '../../config/config.js';
import type { Emulator } from '@turnwire/emulator';
import type { Io } from '../process/io.js';
import type { Endpoint, LoopTurn, Program } from './program.js';

/** The settings of one run of the program. */
export interface Setup {
  id: 'fetch' | 'turnwire' | 'turnwire-cut' | 'serve';
  title: string;
  open: (endpoint: Endpoint) => Program | Promise<Program>;
  /** The number of the turn after which the connection is cut, while the next request is being sent. */
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

/** Linux begins with ten segments. It begins again after a pause longer than the retransmission timeout, which is 200 ms at least. */
const slowStart = { windowBytes: 10 * 1448, windowIdleMs: 250 };

/** The result of one run. The link counts bytes and connections, outside of the measured program. */
export interface Run {
  setup: Setup;
  turns: readonly LoopTurn[];
  /** Turns that were sent as a delta. */
  deltas: number;
  /** Milliseconds from the beginning of the loop to the end of its last turn. */
  wallMs: number;
  /** Bytes that the client wrote to the network, with TLS, headers and framing. */
  sentBytes: number;
  medianFirstEventMs: number;
  connections: number;
  /** All items of the conversation, as the program has them. */
  history: readonly unknown[];
  /** The context of each turn, as the server had it. */
  contexts: readonly (readonly unknown[])[];
  /** The report that the agent has written to a file. */
  report: string;
}

/** The example that the demo runs. The package contains it, so that the demo also runs where the package is installed. */
const example = fileURLToPath(new URL('../../examples/source-report/', import.meta.url));
/** The folder that the tools look at: the program's own files, which exist wherever it is installed. */
const sources = fileURLToPath(new URL('../../', import.meta.url));

const question =
  'Find the largest and the oldest source files under project/, read them, and write what you find to report.md.';

/** The number of turns in the script; used for the progress bar alone. */
export const expectedTurns = 25;

export interface RunOptions {
  io: Io;
  link: LinkSettings;
  /** The folder that the tools work in: see `createWorkspace`. */
  folder: string;
  signal: AbortSignal;
  onTurn: (turn: number) => void;
}

/** Runs the program once, over a new link. */
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

/** Makes a folder with a copy of the sources and their dates, so that all runs look at the same files. */
export async function createWorkspace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-demo-'));
  await cp(sources, join(folder, 'project'), {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !/\.(?:map|d\.ts|tsbuildinfo)$/.test(path),
  });
  return folder;
}

/** Reads the report of a run and moves it away, so that the next run does not find it. */
async function takeReport(folder: string, { id }: Setup): Promise<string> {
  const report = join(folder, `report-${id}.md`);
  await rename(join(folder, 'report.md'), report);
  return readFile(report, 'utf8');
}

function toolsFor(agent: Config['root'], folder: string, io: Io): Promise<Toolbox> {
  // `LC_ALL=C` makes `ls` and `sort` give the same order on every machine.
  return openTools(agent.toolsets, { directory: folder, env: { ...io.env, LC_ALL: 'C' } });
}

function contextsOf(emulator: Emulator): readonly (readonly unknown[])[] {
  return emulator.journal.turns().map(({ transcript, output }) => [...transcript, ...output]);
}
