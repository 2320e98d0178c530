import { unsupportedKeys } from '../docker-agent.js';
import type { Path, YamlFile } from './yaml-file.js';

/** The deepest level at which a key is left out. */
const deepest = 12;

/** Keys without an effect here, whatever their value: there is no gateway to bypass, and reasoning always goes back to its model. */
const idle: ReadonlySet<string> = new Set(['bypass_models_gateway', 'preserve_reasoning']);
/** Keys that have no effect with the value 0. */
const penalties: ReadonlySet<string> = new Set(['frequency_penalty', 'presence_penalty']);

/** The file without unsupported keys whose value asks for nothing: `skills: false` says that there are no skills. */
export function withoutNeutral(file: YamlFile): YamlFile {
  return { ...file, value: strip(file.value, []) };
}

function strip(value: unknown, path: Path): unknown {
  if (typeof value !== 'object' || value === null || path.length > deepest) return value;
  if (Array.isArray(value)) return value.map((item, index) => strip(item, [...path, index]));
  const unsupported = unsupportedKeys(path);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !unsupported.includes(key) || !asksForNothing(key, inner))
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
