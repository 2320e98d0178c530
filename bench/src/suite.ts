import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { clientOf } from './client/clients.js';
import { initialWindowBytes, windowForgottenMs } from './server/link.js';
import { packageSize } from './report/package-size.js';
import { Service, runClient } from './processes.js';
import { rotated } from './report/statistics.js';
import type { Certificate } from './server/certificate.js';
import type { Outcome } from './client/client-process.js';
import type { Measured } from './client/exercise.js';
import type { Shares } from './report/profile.js';
import type { Rounds } from './report/statistics.js';
import type { Workload } from './workloads.js';

/** A row of a table: the values of a client, as a list of rounds for each metric. */
export interface Row {
  client: string;
  metrics: Record<string, Rounds>;
  /** The client's CPU shares in the last round that was profiled. */
  shares?: Shares | undefined;
  /** The reason why the row has no values: its client is not published yet, it needs another Node, or it failed. */
  missing?: { why: 'not yet' | 'skipped' | 'failed'; message: string };
}

export interface Result {
  workload: string;
  rows: Row[];
}

/** The machine and the versions of a measurement. */
export interface Setting {
  at: string;
  node: string;
  platform: string;
  processor: string;
  cores: number;
  memoryGb: number;
  versions: Readonly<Record<string, string>>;
  rounds: number;
  seed: number;
}

export interface SuiteOptions {
  workloads: readonly Workload[];
  rounds: number;
  seed: number;
  root: string;
  certificate: () => Certificate;
  /** The folder for a CPU profile of each client's process. */
  profiles: string | undefined;
  onProgress: (line: string) => void;
}

export function settingOf(versions: Readonly<Record<string, string>>, rounds: number, seed: number): Setting {
  const [first] = cpus();
  return {
    at: new Date().toISOString().slice(0, 10),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    versions,
    rounds,
    seed,
  };
}

export async function measure(options: SuiteOptions): Promise<Result[]> {
  const results: Result[] = [];
  for (const workload of options.workloads) {
    options.onProgress(`${workload.id}: ${workload.title}`);
    results.push(await measureWorkload(workload, options));
  }
  return results;
}

async function measureWorkload(workload: Workload, options: SuiteOptions): Promise<Result> {
  const { rounds, seed, root, onProgress, profiles } = options;
  const rows: Row[] = workload.rows.map((client) => ({ client, metrics: {} }));
  const certificate = workload.tls ? options.certificate() : undefined;
  const server = await Service.start({
    kind: 'server',
    options: { seed, ...(certificate && { tls: { key: certificate.key, cert: certificate.cert } }) },
  });
  const link = workload.link && (await Service.start({ kind: 'link', options: linkOf(workload.link, server.port) }));
  try {
    // The first import does not count: it reads the files into the system's cache.
    if (workload.exercise.kind === 'import') {
      for (const { client } of rows) {
        const job = { client: clientOf(client), exercise: workload.exercise, url: '' };
        await runClient(job, { limitMs: workload.limitMs, ca: undefined });
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const row of rotated(rows, round)) {
        if (row.missing !== undefined) continue;
        const client = clientOf(row.client);
        if (client.node !== undefined && Number(process.versions.node.split('.')[0]) < client.node) {
          row.missing = { why: 'skipped', message: `it needs Node ${client.node}` };
          continue;
        }
        const before = await server.counts();
        const cuts = await link?.counts();
        const begun = performance.now();
        const port = link?.port ?? server.port;
        const outcome: Outcome =
          workload.exercise.kind === 'package'
            ? { ok: packageSize(root) }
            : await runClient(
                {
                  client,
                  exercise: workload.exercise,
                  url: `${workload.tls ? 'https' : 'http'}://127.0.0.1:${port}/v1`,
                  profile: profiles && join(profiles, `${workload.id}-${client.id}-${round + 1}.cpuprofile`),
                },
                { limitMs: workload.limitMs, ca: certificate?.path },
              );
        const ms = performance.now() - begun;
        if (!('ok' in outcome)) {
          const [why, message] =
            'notYet' in outcome ? (['not yet', outcome.notYet] as const) : (['failed', outcome.failed] as const);
          row.missing = { why, message };
          onProgress(`  ${row.client}: ${why}: ${message}`);
          continue;
        }
        const after = await server.counts();
        const connected = await link?.counts();
        const { ok } = outcome;
        row.shares = outcome.shares;
        keep(row, round, {
          ...ok,
          serverBusy: ((after.cpuUs - before.cpuUs) / 1000 / ms) * 100,
          connections: (connected?.connections ?? after.connections) - (cuts?.connections ?? before.connections),
          ...(ok['loops'] !== undefined && {
            sentKb: (after.receivedBytes - before.receivedBytes) / 1000 / ok['loops'],
          }),
        });
      }
      onProgress(`  round ${round + 1} of ${rounds}`);
    }
  } finally {
    link?.stop();
    server.stop();
  }
  return { workload: workload.id, rows };
}

function keep(row: Row, round: number, measured: Measured): void {
  for (const [name, value] of Object.entries(measured)) {
    const rounds = [...(row.metrics[name] ?? [])];
    rounds[round] = value;
    row.metrics[name] = Array.from(rounds, (known) => known);
  }
}

function linkOf({ rttMs, window }: { rttMs: number; window: boolean }, to: number) {
  return { to, rttMs, ...(window && { windowBytes: initialWindowBytes, windowIdleMs: windowForgottenMs }) };
}
