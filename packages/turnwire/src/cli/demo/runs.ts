import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFetch } from '@turnwire/client/fetch';
import { createTestAuthority, startEmulator, startLink } from '@turnwire/emulator';
// By its file: for the bare name Bun has an HTTP client of its own, which trusts no authority of an Agent.
import { Agent, fetch } from 'undici/index.js';
import { openTools, type Toolbox } from '../../agent/tools/toolsets.js';
import { loadConfig } from '../../config/config.js';
import { agentLoop, type Fetch, type LoopTurn } from './agent-loop.js';
import { startTlsFront } from './tls-front.js';
import type { Config } from '../../config/config.js';
import type { Emulator } from '@turnwire/emulator';
import type { Io } from '../process/io.js';

/** One run of the same program, and what is different about it. */
export interface Setup {
  id: 'fetch' | 'turnwire' | 'turnwire-cut';
  title: string;
  /** Makes the fetch that the program is given; it trusts `ca` (PEM). */
  carrier: (ca: string) => Carrier;
  /** After this turn the connection of the next one is cut, its request under way. */
  cutAfter?: number;
}

interface Carrier {
  fetch: Fetch;
  close: () => Promise<void>;
}

export const setups: readonly Setup[] = [
  { id: 'fetch', title: 'the ordinary fetch', carrier: ordinaryFetch },
  { id: 'turnwire', title: 'createFetch()', carrier: turnwireFetch },
  { id: 'turnwire-cut', title: 'createFetch(), cut', carrier: turnwireFetch, cutAfter: 12 },
];

/** Node's own fetch, from the package that it is made of: only that one takes an authority to trust. */
function ordinaryFetch(ca: string): Carrier {
  const dispatcher = new Agent({ connect: { ca } });
  return {
    fetch: (url, init) => fetch(url, { ...init, dispatcher } as never),
    close: () => dispatcher.close(),
  };
}

function turnwireFetch(ca: string): Carrier {
  // Not the proxy of the environment, if it names one: the link is on this machine.
  const carried = createFetch({ network: { ca, proxy: false }, onWarning: false });
  return { fetch: carried, close: () => carried.close() };
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
  folder: string;
}

/** The example that the demo runs; it lies in the package, so that the demo runs from there too. */
const example = fileURLToPath(new URL('../../examples/source-report/', import.meta.url));
/** What its tools look at: the program itself, the only source files that are there wherever it is installed. */
const sources = fileURLToPath(new URL('../../', import.meta.url));

const question =
  'Find the largest and the oldest source files under project/, read them, and write what you find to report.md.';

/** The number of turns that the script has; for progress alone. */
export const expectedTurns = 25;

/** Runs the program once, in a folder of its own, over a link of its own. */
export async function runOnce(
  setup: Setup,
  options: { io: Io; link: LinkSettings; signal: AbortSignal; onTurn: (turn: number) => void },
): Promise<Run> {
  const { io, signal, onTurn } = options;
  const { root: agent } = await loadConfig(join(example, 'agent.yaml'));
  const folder = await workspace();
  const { tools, close: closeTools } = await toolsFor(agent, folder, io);
  const authority = await createTestAuthority();
  const emulator = await startEmulator({ script: join(example, 'script.yaml') });
  const front = await startTlsFront({ to: emulator.port, ...authority.issue({ hosts: ['127.0.0.1'] }) });
  const link = await startLink({ to: front.port, ...options.link, ...(options.link.rttMs > 0 && slowStart) });
  const carrier = setup.carrier(authority.cert);
  try {
    const begun = performance.now();
    const result = await agentLoop({
      fetch: carrier.fetch,
      url: `https://127.0.0.1:${link.port}/v1`,
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
      wallMs: performance.now() - begun,
      sentBytes: link.sentBytes,
      medianFirstEventMs: median(result.turns.map(({ firstEventMs }) => firstEventMs)),
      connections: link.connections,
      history: result.history,
      contexts: contextsOf(emulator),
      report: await readFile(join(folder, 'report.md'), 'utf8'),
      folder,
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await closeTools();
    await carrier.close();
    await link.close();
    await front.close();
    await emulator.close();
  }
}

/** A fresh copy of the sources, with their dates; the report is written beside it, so that no run finds another's. */
async function workspace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-demo-'));
  await cp(sources, join(folder, 'project'), {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !path.endsWith('.map'),
  });
  return folder;
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
