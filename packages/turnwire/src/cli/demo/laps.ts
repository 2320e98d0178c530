import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@turnwire/client';
import { createSession } from '../../agent/session.js';
import { openTools, type Toolbox } from '../../agent/tools/toolsets.js';
import { loadConfig } from '../../config/config.js';
import { startEmulator, startLink } from '@turnwire/emulator';
import { chainedById } from './chained-by-id.js';
import type { Config } from '../../config/config.js';
import type { Emulator } from '@turnwire/emulator';
import type { Io } from '../io.js';

/** One way to carry the same run. */
export interface Way {
  id: 'sse-full' | 'sse-chained' | 'websocket';
  title: string;
  transport: 'sse' | 'websocket';
  /** By hand, as users of SDKs do; the client itself sends only what is new where the server is known to hold the rest. */
  byId: boolean;
  /** Sent as `store`; undefined leaves it to the service, as SDKs do. */
  store: boolean | undefined;
}

export const ways: readonly Way[] = [
  { id: 'sse-full', title: 'SSE, full history', transport: 'sse', byId: false, store: undefined },
  { id: 'sse-chained', title: 'SSE, chained by id', transport: 'sse', byId: true, store: true },
  { id: 'websocket', title: 'one WebSocket', transport: 'websocket', byId: false, store: true },
];

export interface LinkSettings {
  rttMs: number;
  uplinkBitsPerSecond: number;
}

/** What one run came to, measured from outside it where that is possible: bytes and connections are counted by the link. */
export interface Lap {
  way: Way;
  turns: number;
  wallMs: number;
  /** Everything the client wrote to the network, headers and framing included. */
  sentBytes: number;
  medianFirstEventMs: number;
  connections: number;
  /** All items of the conversation, as the agent has them. */
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

const prompt =
  'Find the largest and the oldest source files under project/, read them, and write what you find to report.md.';

/** The number of turns that the script has; for progress alone. */
export const expectedTurns = 25;

/** Runs the example once, in a folder of its own, over a link of its own. */
export async function runLap(
  way: Way,
  options: { io: Io; link: LinkSettings; signal: AbortSignal; onTurn: (turn: number) => void },
): Promise<Lap> {
  const { io, signal, onTurn } = options;
  const { root: agent } = await loadConfig(join(example, 'agent.yaml'));
  const folder = await workspace();
  const { tools, close: closeTools } = await toolsFor(agent, folder, io);
  const emulator = await startEmulator({ script: join(example, 'script.yaml') });
  const link = await startLink({ to: emulator.port, ...options.link });
  const client = createClient({
    baseUrl: emulator.url.replace(`:${emulator.port}/`, `:${link.port}/`),
    transport: way.transport,
  });
  try {
    const session = createSession({
      client: way.byId ? chainedById(client) : client,
      agent,
      tools,
      approval: 'yolo',
      store: way.store,
    });
    const begun = performance.now();
    const run = session.run(prompt, { signal });
    for await (const event of run) if (event.type === 'turn_finished') onTurn(event.turn);
    const wallMs = performance.now() - begun;
    const { turns, history, reports } = await run.result();
    return {
      way,
      turns,
      wallMs,
      sentBytes: link.sentBytes,
      medianFirstEventMs: median(reports.map(({ firstEventMs }) => firstEventMs ?? NaN)),
      connections: link.connections,
      history,
      contexts: contextsOf(emulator),
      report: await readFile(join(folder, 'report.md'), 'utf8'),
      folder,
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await closeTools();
    client.destroy();
    await link.close();
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
