import { findModel, type Model, readModel } from './model.js';
import { ConfigError, type Problem } from './problem.js';
import { agentSchema, type Toolset } from './schema.js';
import { environmentSecrets, type Environment, secretProblem } from './secrets.js';
import { checkShape } from './shape.js';
import { readYamlFile, type YamlFile } from './yaml-file.js';

/** An agent file that was understood completely. */
export interface Config {
  /** The file, as it was named. */
  file: string;
  models: ReadonlyMap<string, Model>;
  agents: { root: Agent };
}

export interface Agent {
  name: string;
  model: Model;
  /** The system prompt; empty if there is none. */
  instruction: string;
  toolsets: readonly Toolset[];
}

export interface LoadOptions {
  /** Where keys are looked up: each key that an agent needs has to be there. Left out, keys are not asked for. */
  env?: Environment | undefined;
}

/**
 * Reads an agent file in docker-agent's format and checks it as a whole: shape, names, providers, keys. What docker-agent knows and
 * turnwire does not serve is refused by name, never ignored, except for what only describes: `metadata`, `description`,
 * `welcome_message`. `version` may be any: of the keys served here, all versions mean the same.
 *
 * @throws ConfigError with every problem of the file, each with its place.
 */
export async function loadConfig(path: string, { env }: LoadOptions = {}): Promise<Config> {
  const file = await readYamlFile(path);
  const problems = checkShape(file);
  const written = Object.entries(mapping(mapping(file.value)['models']));
  const models = new Map<string, Model>();
  for (const [name, value] of written) {
    const model = accept(readModel(file, name, value), problems);
    if (model !== undefined) models.set(name, model);
  }
  const names = written.map(([name]) => name);
  const root = readAgent(file, 'root', models, names, problems);
  if (root !== undefined && env !== undefined) problems.push(...(await missingKey(file, root.model, env)));
  if (root === undefined || problems.length > 0) throw new ConfigError(problems);
  return { file: path, models, agents: { root } };
}

function readAgent(
  file: YamlFile,
  name: string,
  models: ReadonlyMap<string, Model>,
  names: readonly string[],
  problems: Problem[],
): Agent | undefined {
  const path = ['agents', name];
  const value = mapping(mapping(file.value)['agents'])[name];
  // The reference alone is enough to be checked, also where another key of the agent is wrong.
  const reference = mapping(value)['model'];
  if (typeof reference !== 'string' || reference === '') return undefined;
  const model = accept(findModel(file, reference, [...path, 'model'], models, names), problems);
  const shape = agentSchema.safeParse(value);
  if (model === undefined || !shape.success) return undefined;
  return { name, model, instruction: shape.data.instruction ?? '', toolsets: shape.data.toolsets ?? [] };
}

function accept(read: { model: Model } | { problem: Problem } | undefined, problems: Problem[]): Model | undefined {
  if (read === undefined) return undefined;
  if ('model' in read) return read.model;
  problems.push(read.problem);
  return undefined;
}

async function missingKey(file: YamlFile, model: Model, env: Environment): Promise<Problem[]> {
  if (model.tokenKey === undefined) return [];
  const message = await secretProblem(environmentSecrets(env), model.tokenKey);
  return message === undefined ? [] : [file.problem(message, model.path)];
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
