import { rm } from 'node:fs/promises';
import { exitStatus, signalStatus } from '../exit-status.js';
import { Printer } from '../terminal.js';
import { compare } from './identity.js';
import { expectedTurns, runLap, ways } from './laps.js';
import { progressOn, seconds } from './progress.js';
import type { Io, Signal } from '../io.js';
import type { Identity } from './identity.js';
import type { Lap, LinkSettings } from './laps.js';

export interface DemoOptions {
  /** Milliseconds. */
  rtt: number;
  /** Mbit/s. */
  uplink: number;
  keep?: boolean;
  json?: boolean;
}

/** `turnwire demo`: the same agent, the same task, three ways to carry its turns, and the proof that they come to the same. */
export async function demo(io: Io, { rtt, uplink, keep, json }: DemoOptions): Promise<number> {
  const stdout = new Printer(io.stdout, io.env);
  const stderr = new Printer(io.stderr, io.env);
  const link: LinkSettings = { rttMs: rtt, uplinkBitsPerSecond: uplink * 1_000_000 };
  const controller = new AbortController();
  let received: Signal | undefined;
  const stop = io.onSignal((signal) => {
    if (received !== undefined) process.exit(signalStatus(signal));
    received = signal;
    controller.abort(new Error(`interrupted by ${signal}`));
  });
  const laps: Lap[] = [];
  try {
    // Standard output is for the result; with --json it must hold nothing else.
    const progress = progressOn(json ? stderr : stdout, expectedTurns);
    if (!json) stdout.line(`One agent, one task, three ways to carry its turns. Link: ${linkInWords(link)}.\n`);
    for (const way of ways) {
      const begun = performance.now();
      const lap = await runLap(way, {
        io,
        link,
        signal: controller.signal,
        onTurn: (turn) => progress.turn(way, turn, performance.now() - begun),
      });
      laps.push(lap);
      progress.finished(way, lap.turns, lap.wallMs);
    }
    const identities = compare(laps);
    if (json) stdout.line(JSON.stringify(result(laps, identities, link)));
    else printResult(stdout, laps, identities, link);
    if (keep) for (const { way, folder } of laps) (json ? stderr : stdout).line(`${way.title}: ${folder}`);
    return identities.every(({ same }) => same) ? exitStatus.ok : exitStatus.failed;
  } catch (error) {
    if (received !== undefined) return signalStatus(received);
    throw error;
  } finally {
    stop();
    if (!keep) for (const { folder } of laps) await rm(folder, { recursive: true, force: true });
  }
}

function result(laps: readonly Lap[], identities: readonly Identity[], link: LinkSettings): object {
  return {
    link: {
      simulated: link.rttMs > 0 || link.uplinkBitsPerSecond > 0,
      rtt_ms: link.rttMs,
      uplink_bits_per_second: link.uplinkBitsPerSecond,
    },
    runs: laps.map(({ way, turns, wallMs, sentBytes, medianFirstEventMs, connections }) => ({
      transport: way.id,
      turns,
      wall_ms: Math.round(wallMs),
      sent_bytes: sentBytes,
      median_first_event_ms: Math.round(medianFirstEventMs * 100) / 100,
      connections,
    })),
    identical: identities.every(({ same }) => same),
    proofs: identities.map(({ what, hashes, same }) => ({ what, same, sha256: hashes })),
    note: note(link),
  };
}

function printResult(stdout: Printer, laps: readonly Lap[], identities: readonly Identity[], link: LinkSettings): void {
  const rows = laps.map(({ way, turns, wallMs, sentBytes, medianFirstEventMs, connections }) => [
    way.title,
    String(turns),
    seconds(wallMs),
    kilobytes(sentBytes),
    `${medianFirstEventMs.toFixed(1)} ms`,
    String(connections),
  ]);
  const head = ['transport', 'turns', 'wall time', 'bytes sent', 'median first event', 'connections dialled'];
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
  stdout.line(`\n${note(link)}`);
}

/** One sentence, so that nobody takes the table for more than it is. */
function note(link: LinkSettings): string {
  return (
    `The files, the tools, the sockets and the bytes are real; the model's answers are scripted and cost no time, ${linkInWords(link)}; ` +
    'a real provider adds the time its model takes to read and write, the same over every transport, and TLS, and may save time of its own with a warm connection, which is not simulated here.'
  );
}

function linkInWords({ rttMs, uplinkBitsPerSecond }: LinkSettings): string {
  if (rttMs === 0 && uplinkBitsPerSecond === 0) return 'this machine only, nothing simulated';
  const rtt = rttMs === 0 ? 'no round trip' : `a round trip of ${rttMs} ms`;
  const uplink =
    uplinkBitsPerSecond === 0 ? 'an unlimited uplink' : `an uplink of ${uplinkBitsPerSecond / 1_000_000} Mbit/s`;
  return `${rtt} and ${uplink} are simulated`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
