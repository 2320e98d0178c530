// The process of a client: one for each client, exercise and round. Its parent sends it the job.
import { conversationsOf } from './exercise.js';
import { perform } from './perform.js';
import type { Open } from './adapter.js';
import type { Client } from './clients.js';
import { type Shares, startProfile } from '../report/profile.js';
import type { Exercise, Measured } from './exercise.js';

export interface Job {
  client: Client;
  exercise: Exercise;
  url: string;
  /** The file for a CPU profile of the measured part, if one is wanted. */
  profile?: string | undefined;
}

export type Outcome = { ok: Measured; shares?: Shares | undefined } | { notYet: string } | { failed: string };

process.once('message', (job: Job) => {
  run(job)
    .catch((error: unknown): Outcome => {
      const { notYet } = (error ?? {}) as { notYet?: unknown };
      const message = error instanceof Error ? error.message : String(error);
      return notYet === true ? { notYet: message } : { failed: message };
    })
    .then((outcome) => process.send?.(outcome, () => process.exit(0)))
    .catch(() => process.exit(1));
});

async function run({ client, exercise, url, profile }: Job): Promise<Outcome> {
  if (exercise.kind === 'import') return { ok: await importMs(client) };
  const path = new URL(`../../clients/${client.file}.mjs`, import.meta.url);
  const adapter = (await import(path.href)) as Record<string, Open>;
  const open = adapter[client.name];
  if (open === undefined) throw new Error(`${path.pathname} exports no ${client.name}`);
  const driver = await open({ url, conversations: conversationsOf(exercise) });
  let ended: (() => Promise<Shares>) | undefined;
  const measured = await perform(driver, exercise, async () => {
    if (profile !== undefined) ended = await startProfile(profile);
  });
  return { ok: measured, shares: await ended?.() };
}

/** The time of the first import of a package in a process, when its files are in the system's cache. */
async function importMs({ package: name }: Client): Promise<Measured> {
  const begun = performance.now();
  await import(name);
  return { importMs: performance.now() - begun };
}
