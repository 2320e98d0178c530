import { isLoopback } from '../base/loopback.js';
import { configSchema } from './schema.js';
import type { ClusterConfig, Config } from './schema.js';

/** A mistake in a configuration, by its path. `at`: the position to show is that of the key, or that of the value. */
export interface Finding {
  path: readonly PropertyKey[];
  message: string;
  at?: 'key' | undefined;
}

/** Fills in all defaults, or gives every mistake of the configuration. */
export function checkConfig(given: unknown): { config: Config } | { findings: readonly Finding[] } {
  const parsed = configSchema.safeParse(given);
  if (!parsed.success) return { findings: parsed.error.issues.flatMap(findingsOf) };
  const findings = contradictions(parsed.data);
  return findings.length > 0 ? { findings } : { config: parsed.data };
}

interface Issue {
  code?: string | undefined;
  path: readonly PropertyKey[];
  message: string;
  keys?: readonly string[];
  errors?: readonly (readonly Issue[])[];
}

function findingsOf(issue: Issue): Finding[] {
  const { code, path, keys = [], errors } = issue;
  if (code === 'unrecognized_keys')
    return keys.map((key) => ({ path: [...path, key], message: unknownKey(key, path), at: 'key' }));
  if (code === 'invalid_union' && errors !== undefined) {
    // Of the forms that a value may have, the user meant the one that matches it furthest.
    const meant = errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
    return meant.flatMap((inner) => findingsOf({ ...inner, path: [...path, ...inner.path] }));
  }
  return [{ path, message: issue.message.replace(/^Invalid input: /, '') }];
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(({ path, code }) => path.length + (code === 'unrecognized_keys' ? 1 : 0)));
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  return `unknown key ${JSON.stringify(key.slice(0, 80))}; there are ${namesAt(path).join(', ')}`;
}

interface Shaped {
  shape?: Readonly<Record<string, unknown>>;
  element?: unknown;
  options?: readonly unknown[];
  _zod?: { def?: { innerType?: unknown } };
}

/** The keys that the schema has at a path. */
function namesAt(path: readonly PropertyKey[]): string[] {
  let place: unknown = configSchema;
  for (const part of path) {
    const schema = unwrapped(place);
    place = typeof part === 'number' ? schema?.element : schema?.shape?.[String(part)];
  }
  return Object.keys(unwrapped(place)?.shape ?? {});
}

function unwrapped(schema: unknown): Shaped | undefined {
  const shaped = schema as Shaped | undefined;
  if (shaped === undefined || shaped.shape !== undefined || shaped.element !== undefined) return shaped;
  const inner = shaped._zod?.def?.innerType;
  if (inner !== undefined) return unwrapped(inner);
  return shaped.options?.map(unwrapped).find((option) => option?.shape !== undefined);
}

/** Mistakes that no key has by itself: keys that contradict each other. */
function contradictions({ listen, upstream, admin, principals, cluster }: Config): Finding[] {
  const findings: Finding[] = cluster === undefined ? [] : clusterFindings(cluster);
  if (!isLoopback(listen.host) && principals === undefined && !listen.open) {
    const message = `others reach ${listen.host}: name principals with keys, or say open: true (--open) to pass their own keys through`;
    findings.push({ path: ['listen', 'host'], message });
  }
  if (listen.open && upstream.key !== undefined && principals === undefined && !isLoopback(listen.host))
    findings.push({
      path: ['upstream', 'key'],
      message: 'everybody who reaches the gateway would use this key: name principals with keys of their own',
    });
  if (admin !== undefined && !isLoopback(admin.host) && !admin.open)
    findings.push({
      path: ['admin', 'host'],
      message: `whoever reaches ${admin.host} would see who uses the gateway, and how: say open: true (--admin-open) where that is wanted`,
    });
  const { protocol, hostname } = new URL(upstream.base_url);
  if (protocol === 'http:' && !isLoopback(hostname) && !upstream.allow_plaintext)
    findings.push({
      path: ['upstream', 'base_url'],
      message: `keys and contents could be read on the way to ${hostname}: use https:, or say allow_plaintext: true`,
    });
  const seen = new Map<string, string>();
  for (const [index, { name, keys, upstream_key: key }] of (principals ?? []).entries()) {
    if (seen.has(`name ${name}`))
      findings.push({ path: ['principals', index, 'name'], message: `two principals are called ${name}` });
    seen.set(`name ${name}`, name);
    if (
      key === undefined &&
      upstream.key === undefined &&
      Object.keys(upstream.headers).length === 0 &&
      !isLoopback(hostname)
    )
      findings.push({
        path: ['principals', index],
        message: `${name} has no upstream_key, and upstream has no key for all`,
      });
    for (const [at, hash] of keys.entries()) {
      const other = seen.get(hash);
      if (other !== undefined)
        findings.push({ path: ['principals', index, 'keys', at], message: `${other} has this key too` });
      seen.set(hash, name);
    }
  }
  return findings;
}

function clusterFindings({ redis, sentinel, address, allow_plaintext: isAllowed }: ClusterConfig): Finding[] {
  const findings: Finding[] = [];
  const add = (name: string, message: string): void => void findings.push({ path: ['cluster', name], message });
  if ((redis === undefined) === (sentinel === undefined))
    findings.push({ path: ['cluster'], message: 'name either redis or sentinel: one of them says where Redis is' });
  if (redis !== undefined) for (const message of redisProblems(new URL(redis))) add('redis', message);
  if (address !== undefined) for (const message of addressProblems(new URL(address))) add('address', message);
  const plain = (name: string, host: string): void => {
    if (!isAllowed && !isLoopback(host))
      add(name, `others could read on the way to ${host}: use TLS, or say allow_plaintext: true`);
  };
  if (redis?.startsWith('redis:') === true && new URL(redis).hostname !== '') plain('redis', new URL(redis).hostname);
  if (address?.startsWith('http:') === true) plain('address', new URL(address).hostname);
  if (sentinel?.tls === false) for (const node of sentinel.nodes) plain('sentinel', node.replace(/:\d+$/, ''));
  return findings;
}

/** The parts of an address of Redis that would be passed over, or that nothing can be made of. */
function redisProblems({ hostname, password, pathname, search, hash }: URL): string[] {
  const problems: string[] = [];
  if (password !== '') problems.push('a password does not stand in the file: name its secret as cluster.password');
  if (hostname === '') problems.push('the address names no server: write one such as rediss://redis.example:6379');
  if (!/^\/?\d*$/.test(pathname))
    problems.push(
      `the number of a database may follow the server, as in rediss://redis.example:6379/1, not "${pathname}"`,
    );
  if (search + hash !== '') problems.push(`"${search}${hash}" means nothing here: name the database as in /1`);
  return problems;
}

/** The same of an address of a node. */
function addressProblems({ pathname, username, password, search, hash }: URL): string[] {
  const problems: string[] = [];
  if (username + password !== '')
    problems.push(
      'nodes show the secret of the deployment to each other, not a user: take the user out of the address',
    );
  if (/\/v1\/?$/.test(pathname)) problems.push('the address ends before /v1: the nodes add their own paths to it');
  if (search + hash !== '') problems.push(`"${search}${hash}" means nothing here: take it out of the address`);
  return problems;
}
