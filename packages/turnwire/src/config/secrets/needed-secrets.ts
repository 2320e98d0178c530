import type { Agent } from '../agent.js';
import { modelsOf } from '../models/models-of.js';
import type { Problem } from '../file/problem.js';
import { isReplacedLate } from '../variables/late.js';
import { allHooks } from '../schema/agents/hooks.js';
import { bareName, namesIn } from '../variables/references.js';
import type { Secrets } from './secrets.js';
import type { Toolset } from '../toolset.js';
import type { Path, YamlFile } from '../file/yaml-file.js';

/** A secret that must be there before an agent can run. */
export interface NeededSecret {
  /** The names of the secret: one of them is enough. */
  names: readonly string[];
  /** The first place of the file that needs it. */
  path: Path;
  /** True where the secret is sent in a header, which limits its characters. */
  inHeader: boolean;
  /** True where a tool needs the secret; false where models alone do. */
  byTool: boolean;
}

/** The secrets of these agents, each once: the keys of their models and fallbacks, and the secrets of their tools. */
export function neededSecrets(agents: readonly Agent[]): NeededSecret[] {
  const found = new Map<string, NeededSecret>();
  const need = (names: readonly string[], path: Path, inHeader: boolean, byTool: boolean): void => {
    if (names.length === 0) return;
    const id = names.join(' ');
    const before = found.get(id);
    found.set(id, {
      names,
      path: before?.path ?? path,
      inHeader: inHeader || before?.inHeader === true,
      byTool: byTool || before?.byTool === true,
    });
  };
  for (const agent of agents) {
    for (const model of modelsOf(agent)) {
      need(model.tokenKeys, model.path, true, false);
      for (const name of Object.values(model.headers).flatMap(namesIn)) need([name], model.path, true, false);
    }
    for (const { point, hook } of allHooks(agent.hooks))
      for (const name of Object.values(hook.type === 'command' ? (hook.env ?? {}) : {}).flatMap(namesIn))
        need([name], ['agents', agent.name, 'hooks', point], false, true);
    for (const [index, toolset] of agent.toolsets.entries()) {
      const path = ['agents', agent.name, 'toolsets', index];
      for (const name of variablesOf(toolset).flatMap(namesIn)) need([name], path, false, true);
      for (const name of headersOf(toolset).flatMap(namesIn)) need([name], path, true, true);
    }
  }
  return [...found.values()];
}

/** The values of all secrets of these agents that can be found, for code that has to keep them out of something. */
export async function secretValues(agents: readonly Agent[], secrets: Secrets): Promise<string[]> {
  const names = new Set(neededSecrets(agents).flatMap((needed) => needed.names));
  const found = await Promise.all([...names].map((name) => secrets.get(name).catch(() => undefined)));
  return found.flatMap((secret) => (secret === undefined ? [] : [secret.value.trim()]));
}

/** The values of the headers that a toolset sends. */
function headersOf(toolset: Toolset): string[] {
  if (toolset.type === 'fetch') return Object.values(toolset.headers ?? {});
  return toolset.type === 'mcp' ? Object.values(toolset.remote?.headers ?? {}) : [];
}

/** The values of the variables that the commands of a toolset get, and the secret of an OAuth client. */
function variablesOf(toolset: Toolset): string[] {
  const own = 'env' in toolset ? Object.values(toolset.env ?? {}) : [];
  if (toolset.type === 'mcp') return [...own, toolset.remote?.oauth?.clientSecret ?? ''];
  if (toolset.type !== 'script') return own;
  return [...own, ...Object.values(toolset.shell).flatMap(({ env }) => Object.values(env ?? {}))];
}

/** The deepest level at which a value is replaced. Deeper parts of a file are not searched. */
const deepest = 8;

/** The problems of values that look like the name of a secret but would be sent as they are. */
export function strayReferences(file: YamlFile): Problem[] {
  const problems: Problem[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === 'object' && value !== null) {
      if (path.length >= deepest) return;
      for (const [key, inner] of Object.entries(value))
        visit(inner, [...path, Array.isArray(value) ? Number(key) : key]);
      return;
    }
    if (typeof value !== 'string' || !isReplacedLate(path.map(String))) return;
    const name = bareName(value);
    if (name !== undefined) problems.push(file.problem(`this is not replaced here; write \${env.${name}}`, path));
  };
  visit(file.value, []);
  return problems;
}
