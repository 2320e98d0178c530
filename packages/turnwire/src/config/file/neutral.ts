import { unservedKeys } from '../docker-agent.js';
import type { Path, YamlFile } from './yaml-file.js';

/** Nothing that is left out stands deeper than this. */
const deepest = 12;

/** Keys that ask for what holds here anyway, whatever they say: there is no gateway to be bypassed, and reasoning always goes back to its model. */
const idle: ReadonlySet<string> = new Set(['bypass_models_gateway', 'preserve_reasoning']);
/** Keys whose 0 asks for nothing. */
const penalties: ReadonlySet<string> = new Set(['frequency_penalty', 'presence_penalty']);

/** The file without keys that are not served and ask for nothing: `skills: false` says that there are none. */
export function withoutNeutral(file: YamlFile): YamlFile {
  return { ...file, value: strip(file.value, []) };
}

function strip(value: unknown, path: Path): unknown {
  if (typeof value !== 'object' || value === null || path.length > deepest) return value;
  if (Array.isArray(value)) return value.map((item, index) => strip(item, [...path, index]));
  const unserved = unservedKeys(path);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !unserved.includes(key) || !asksForNothing(key, inner))
      .map(([key, inner]) => [key, strip(inner, [...path, key])]),
  );
}

function asksForNothing(key: string, value: unknown): boolean {
  return idle.has(key) || isNothing(value) || (penalties.has(key) && value === 0);
}

function isNothing(value: unknown): boolean {
  if (value === false || value === '') return true;
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
