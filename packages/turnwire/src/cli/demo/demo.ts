import { rm, writeFile } from 'node:fs/promises';
import { exitStatus, signalStatus } from '../process/exit-status.js';
import { Interrupts } from '../process/interrupts.js';
import { Printer } from '../process/terminal.js';
import { compare } from './identity.js';
import { picture } from './picture.js';
import { findPython } from './python-program.js';
import { createWorkspace, expectedTurns, pythonSetup, runOnce, setups } from './runs.js';
import { progressOn, seconds } from './progress.js';
import type { Io } from '../process/io.js';
import type { Identity } from './identity.js';
import type { LinkSettings, Run } from './runs.js';

export interface DemoOptions {
  /** The round trip of the simulated link, in milliseconds. */
  rtt: number;
  /** The uplink of the simulated link, in Mbit/s. */
  uplink: number;
  keep?: boolean;
  /** The file to write an animated picture of the runs to. */
  svg?: string;
  json?: boolean;
}

/**
 * `turnwire demo`: runs the same program with the ordinary fetch and with that of turnwire, once more with its socket cut, and in Python through the gateway;
 * then shows that all runs had the same result.
 */
export async function demo(io: Io, { rtt, uplink, keep, svg, json }: DemoOptions): Promise<number> {
  const stdout = new Printer(io.stdout, io.env);
  const stderr = new Printer(io.stderr, io.env);
  const link: LinkSettings = { rttMs: rtt, uplinkBitsPerSecond: uplink * 1_000_000 };
  const interrupts = new Interrupts(io);
  const runs: Run[] = [];
  const folder = await createWorkspace();
  try {
    // Standard output is for the result: with --json nothing else may be written there.
    const progress = progressOn(json ? stderr : stdout, expectedTurns);
    if (!json) {
      stdout.line('One program that sends its whole history with each turn and stores nothing (store: false).');
      stdout.line(`Link: ${linkInWords(link)}.\n`);
    }
    const serving = findPython(io.env);
    const all = 'python' in serving ? [...setups, pythonSetup(serving.python, io.env)] : setups;
    for (const setup of all) {
      const begun = performance.now();
      const run = await runOnce(setup, {
        io,
        link,
        folder,
        signal: interrupts.signal,
        onTurn: (turn) => progress.turn(setup, turn, performance.now() - begun),
      });
      runs.push(run);
      progress.finished(setup, run.turns.length, run.wallMs);
    }
    const identities = compare(runs);
    if (svg !== undefined) await writeFile(svg, picture(runs, linkInWords(link)));
    if (json) stdout.line(JSON.stringify(result(runs, identities, link)));
    else {
      printResult(stdout, runs, identities, link);
      if ('missing' in serving) stdout.line(`\n${serving.missing}`);
      printSwitches(stdout);
    }
    if (keep) (json ? stderr : stdout).line(`The sources and the reports are in ${folder}`);
    return identities.every(({ same }) => same) ? exitStatus.ok : exitStatus.failed;
  } catch (error) {
    if (interrupts.received !== undefined) return signalStatus(interrupts.received);
    throw error;
  } finally {
    interrupts.end();
    if (!keep) await rm(folder, { recursive: true, force: true });
  }
}

function result(runs: readonly Run[], identities: readonly Identity[], link: LinkSettings): object {
  return {
    link: {
      simulated: link.rttMs > 0 || link.uplinkBitsPerSecond > 0,
      rtt_ms: link.rttMs,
      uplink_bits_per_second: link.uplinkBitsPerSecond,
    },
    runs: runs.map(({ setup, turns, deltas, wallMs, sentBytes, medianFirstEventMs, connections }) => ({
      id: setup.id,
      turns: turns.length,
      deltas,
      wall_ms: Math.round(wallMs),
      sent_bytes: sentBytes,
      median_first_event_ms: Math.round(medianFirstEventMs * 100) / 100,
      connections,
    })),
    identical: identities.every(({ same }) => same),
    proofs: identities.map(({ what, hashes, same }) => ({ what, same, sha256: hashes })),
    note: note(link, runs),
  };
}

const head = ['program', 'turns', 'deltas', 'bytes sent', 'median first event', 'connections', 'wall time'];

function printResult(stdout: Printer, runs: readonly Run[], identities: readonly Identity[], link: LinkSettings): void {
  const rows = runs.map(({ setup, turns, deltas, wallMs, sentBytes, medianFirstEventMs, connections }) => [
    setup.title,
    String(turns.length),
    String(deltas),
    kilobytes(sentBytes),
    `${medianFirstEventMs.toFixed(1)} ms`,
    String(connections),
    seconds(wallMs),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const format = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  stdout.line(`\n${stdout.style('bold', format(head))}`);
  for (const row of rows) stdout.line(format(row));
  stdout.line();
  for (const { what, hashes, same } of identities) {
    const mark = same ? stdout.style('green', 'identical') : stdout.style('red', 'DIFFERENT');
    stdout.line(
      `${mark}  ${what}: sha256 ${same ? hashes[0]?.slice(0, 16) : hashes.map((hash) => hash.slice(0, 16)).join(' / ')}`,
    );
  }
  stdout.line(`\n${note(link, runs)}`);
}

/** Prints the one line that switches turnwire on, for each kind of program. */
function printSwitches(stdout: Printer): void {
  stdout.line('\nTo switch it on, npm install @turnwire/client, and:\n');
  stdout.line(`  ${stdout.style('bold', 'new OpenAI({ fetch: createFetch() })')}`);
  stdout.line('\nIn any other language, npm install turnwire @turnwire/gateway, and:\n');
  stdout.line(`  ${stdout.style('bold', 'npx turnwire serve --upstream https://api.openai.com/v1')}`);
}

/** Says below the table what is real and what is simulated. */
function note(link: LinkSettings, runs: readonly Run[]): string {
  const hasPython = runs.some(({ setup }) => setup.id === 'serve');
  return (
    'In the third run, the socket is cut while a request is under way. ' +
    (hasPython ? 'In the fourth, Python sends the same to turnwire serve, with nothing but its http.client. ' : '') +
    'The files, the tools, the sockets, TLS and the bytes are real. ' +
    `The answers of the model are scripted and cost no time; ${linkInWords(link)}. ` +
    'A real provider adds the time in which its model reads and writes, the same in each run.'
  );
}

function linkInWords({ rttMs, uplinkBitsPerSecond }: LinkSettings): string {
  if (rttMs === 0 && uplinkBitsPerSecond === 0) return 'this machine only, nothing simulated';
  const rtt = rttMs === 0 ? 'no round trip' : `a round trip of ${rttMs} ms, a congestion window that idling resets`;
  const uplink =
    uplinkBitsPerSecond === 0 ? 'an unlimited uplink' : `an uplink of ${uplinkBitsPerSecond / 1_000_000} Mbit/s`;
  return `${rtt} and ${uplink} are simulated`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
