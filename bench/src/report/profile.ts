import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector';

/** The share of each package in the CPU time, as a part of 1. */
export type Shares = Readonly<Record<string, number>>;

/** The time between two samples, in microseconds. In a process that mostly waits, more samples would cost more than its work. */
const interval = 1000;

/** Begins a profile of this process. The returned function ends it, writes it and gives the shares. */
export async function startProfile(file: string): Promise<() => Promise<Shares>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval });
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
    return sharesOf(profile);
  };
}

/** The share of each package. Calls into Node or V8 count for the package that makes them; garbage collection counts for none, and idle time does not count. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, string | undefined>();
  const owner = (id: number | undefined): string | undefined => {
    const node = id === undefined ? undefined : byId.get(id);
    if (id === undefined || node === undefined) return 'Node';
    if (!owners.has(id)) owners.set(id, ownerOf(node.callFrame) ?? owner(parents.get(id)));
    return owners.get(id);
  };
  const sums: Record<string, number> = {};
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = byId.get(id)?.callFrame.functionName;
    const who = name === '(garbage collector)' ? 'garbage' : owner(id);
    if (name === '(idle)' || who === undefined) continue;
    const time = timeDeltas[index] ?? 0;
    busy += time;
    sums[who] = (sums[who] ?? 0) + time;
  }
  return Object.fromEntries(Object.entries(sums).map(([who, time]) => [who, time / busy]));
}

/** The package of a file; undefined for code that counts for its caller. */
function ownerOf({ url }: { url: string }): string | undefined {
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  if (name !== undefined) return name === '@turnwire/client' ? 'turnwire' : name;
  if (url.includes('/packages/client/')) return 'turnwire';
  return url.includes('/bench/') ? 'the bench' : undefined;
}
