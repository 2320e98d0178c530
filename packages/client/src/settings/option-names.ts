import { TurnwireError } from '../protocol/errors/errors.js';
import { nearest } from './spelling.js';
import type { ClientOptions, NetworkOptions, PoolOptions, RecoveryOptions, TimeoutOptions } from '../options.js';

/** The options of a group, or of the function that takes them all. */
type Names<Options> = readonly (keyof Options & string)[];

export const clientNames: Names<ClientOptions> = [
  'apiKey',
  'baseUrl',
  'chains',
  'fetch',
  'headers',
  'network',
  'onEvent',
  'onWarning',
  'organization',
  'pool',
  'project',
  'recovery',
  'timeouts',
  'transport',
];

const poolNames: Names<PoolOptions> = ['lanes', 'maxAgeMs', 'maxConnections', 'maxIdleMs', 'pingMs'];
const timeoutNames: Names<TimeoutOptions> = ['dialMs', 'firstEventMs', 'idleMs', 'pongMs', 'queueMs', 'unreadMs'];
const recoveryNames: Names<RecoveryOptions> = ['replay', 'maxAttempts', 'budgetMs', 'refusals'];
const networkNames: Names<NetworkOptions> = ['allowPlaintext', 'ca', 'cert', 'key', 'lookup', 'proxy', 'relay'];

/** The names of each group of options. */
type OptionGroups = Readonly<Record<string, readonly string[]>>;

const groups = {
  chains: ['maxBytes'],
  pool: poolNames,
  timeouts: timeoutNames,
  recovery: recoveryNames,
  network: networkNames,
} satisfies OptionGroups;

/** The groups of `createFetch`. */
export const fetchGroups: OptionGroups = { ...groups, network: [...networkNames, 'viaFetch'] };

/**
 * The options of a function, the names of groups among them.
 *
 * @throws TurnwireError `invalid_option`
 */
export function checkOptions(value: unknown, names: readonly string[], from: OptionGroups = groups): void {
  checkNames('', 'the options', value, names, from);
}

/** @throws TurnwireError `invalid_option` */
export function checkGroup(group: keyof typeof groups, value: unknown, from: OptionGroups = groups): void {
  checkNames(`${group}.`, group, value, from[group] ?? [], from);
}

/** @throws TurnwireError `invalid_option` */
export function checkTurnNames(value: unknown): void {
  checkNames('turn.', 'turn', value, ['signal', 'transport'], {});
}

/** @throws TurnwireError `invalid_option` */
export function checkIsObject(what: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TurnwireError('invalid_option', `${what} must be an object, not ${describeKind(value)}`);
}

/**
 * The kind of a value, for messages that must not hold it: it may be a secret, such as a key in the place of the options, or a private key without
 * its first line (N1).
 */
export function describeKind(value: unknown): string {
  if (typeof value === 'string') return 'a string';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function checkNames(
  prefix: string,
  what: string,
  value: unknown,
  names: readonly string[],
  elsewhere: OptionGroups,
): void {
  checkIsObject(what, value);
  const wrong = Object.keys(value).find((name) => !names.includes(name));
  if (wrong === undefined) return;
  const guess = intendedName(wrong, names, elsewhere);
  const advice = guess === undefined ? ` (there are ${names.join(', ')})` : `; did you mean "${guess}"?`;
  throw new TurnwireError('invalid_option', `${prefix}${wrong} is no option${advice}`);
}

/** The option that a wrong name stands for: one of the same place written another way, one of another group, or the nearest. */
function intendedName(wrong: string, names: readonly string[], elsewhere: OptionGroups): string | undefined {
  const isSame = (name: string): boolean => isSameName(name, wrong);
  const same = names.find(isSame);
  if (same !== undefined) return same;
  for (const [group, inside] of Object.entries(elsewhere)) {
    const found = inside.find(isSame);
    if (found !== undefined && names !== inside) return `${group}.${found}`;
  }
  return nearest(wrong, names);
}

/** Whether two names differ in capitals, underscores or the unit at the end alone. */
export function isSameName(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '').replace(/ms$/, '');
}
