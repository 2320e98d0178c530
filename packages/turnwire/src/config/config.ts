import { type Agent, readAgent, type Shared, type SharedParts } from './agent.js';
import { findModel, linkModel, type Model, type OwnProviders, readModel } from './models/model.js';
import { chooseModels } from './models/first-available.js';
import type { TransportChoice } from '@turnwire/client';
import { type Budget, readBudget } from './budgets.js';
import { unpricedModels } from './unpriced-models.js';
import { expandFile, type ReadVariable } from './variables/expansion.js';
import { readInstructionFiles } from './instruction-file.js';
import { ConfigError, type Problem } from './file/problem.js';
import { withoutNeutral } from './file/neutral.js';
import { neededSecrets, strayReferences } from './secrets/needed-secrets.js';
import { budgetSchema } from './schema/budget.js';
import { readSharedCommands, sharedCommandsSchema } from './schema/agents/commands.js';
import { modelSchema, providerSchema } from './schema/model.js';
import { permissionsSchema, type PermissionRules } from './schema/agents/permissions.js';
import { skillsSchema } from './schema/agents/skills.js';
import { mcpSchema, toolsetSchema } from './schema/toolset.js';
import { checkShape } from './file/shape.js';
import { foreignModelsOnce } from './models/foreign-models.js';
import { wrongServer } from './toolset.js';
import { type Path, readYamlFile, type YamlFile } from './file/yaml-file.js';
import { secretVariables } from './secrets/secret-variables.js';
import { secretProblem } from './secrets/key.js';
import type { Secrets } from './secrets/secrets.js';

/** An agent file after all its checks. */
export interface Config {
  /** The name of the file, as the user gave it. */
  file: string;
  models: ReadonlyMap<string, Model>;
  /** The agents, in the order of the file. */
  agents: ReadonlyMap<string, Agent>;
  /** The agent that a run begins with: `root`, or the first one where none has that name, as in docker-agent. */
  root: Agent;
  /** The rules that say which calls run without a question, which need an answer, and which never run. */
  permissions: PermissionRules;
  /** The budget of all agents of a session together; undefined: no limit. */
  budget: Budget | undefined;
  /** The variables that hold keys and other secrets. Commands do not see them, unless the file passes one on by name. */
  secretVariables: ReadonlySet<string>;
  /**
   * Finds a model by its name under `models`, or as `provider/model`.
   *
   * @param by the origin of the name, for the message: `/model`
   * @throws ConfigError if there is no such model
   */
  modelNamed: (reference: string, by: string) => Model;
}

export interface LoadOptions {
  /** The sources of keys: each secret that an agent needs must be there. Without sources, no secret is looked up. */
  secrets?: Secrets | undefined;
  /** The sources of the variables that are put into the file. @default the sources of keys */
  variables?: Secrets | undefined;
  /** False: the keys of models may be missing, and only secrets of tools must be there. @default true */
  keys?: boolean | undefined;
  /** The model of the agent that a run begins with: a name under `models`, or `provider/model`. @default the model in the file */
  model?: string | undefined;
  /** The transport of that agent's model. @default the transport in the file */
  transport?: TransportChoice | undefined;
}

/**
 * Reads an agent file in docker-agent's format and checks it as a whole: shape, names, providers, keys. A key of docker-agent that turnwire does not support
 * is refused by name and never ignored, except for keys that only describe: `metadata`, `description`. Any `version` is accepted: the supported keys mean the
 * same in all of them.
 *
 * @throws ConfigError with every problem of the file, each with its place
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<Config> {
  const { secrets, variables = secrets, keys = true, model, transport } = options;
  const asWritten = await readYamlFile(path);
  const read: ReadVariable = async (name) => (await variables?.get(name))?.value;
  const { file: expanded, problems: unexpanded } = await expandFile(asWritten, read);
  const file = withoutNeutral(expanded);
  const problems = checkShape(file);
  const providers = readProviders(file);
  const names = Object.keys(part(file, 'models'));
  const known = new Map<string, Model>();
  for (const [name, value] of Object.entries(part(file, 'models'))) {
    const read = readModel(file, name, value, providers);
    if (read !== undefined && 'problem' in read) problems.push(read.problem);
    else if (read !== undefined) known.set(name, read.model);
  }
  const models = { known, names, providers, chosen: new Map<string, string>() };
  problems.push(...(await chooseModels(file, part(file, 'models'), models, keys ? variables : undefined)));
  for (const [name, model] of known) {
    const shape = modelSchema.safeParse(part(file, 'models')[name]);
    if (shape.success) problems.push(...linkModel(file, model, shape.data, models));
  }
  const written = part(file, 'agents');
  const { texts: instructions, problems: unread } = await readInstructionFiles(file, written);
  problems.push(...unread);
  const around = {
    models,
    shared: readShared(file),
    instructions,
    servers: readServers(file, problems),
    toolsets: readToolsets(file),
    agents: Object.keys(written),
  };
  const agents = new Map<string, Agent>();
  for (const [name, value] of Object.entries(written)) {
    const agent = readAgent(file, name, value, around, problems);
    if (agent !== undefined) agents.set(name, agent);
  }
  const modelNamed = (reference: string, by: string): Model => {
    // A name that the command line gave stands in no file: the problem is reported at the option.
    const given = { ...file, problem: (message: string): Problem => ({ file: by, path: '', message }) };
    const read = findModel(given, reference, [], around.models);
    if (read === undefined || 'problem' in read) throw new ConfigError(read === undefined ? problems : [read.problem]);
    return read.model;
  };
  const first = agents.get('root') ?? agents.values().next().value;
  if (first !== undefined && (model ?? transport) !== undefined) {
    const chosen = model === undefined ? first.model : modelNamed(model, '--model');
    agents.set(first.name, { ...first, model: { ...chosen, transport: transport ?? chosen.transport } });
  }
  problems.push(...strayReferences(file), ...circles(file, agents));
  const whole = budgetSchema.safeParse(part(file, 'budget'));
  const budget = whole.success && Object.hasOwn(top(file), 'budget') ? readBudget('budget', whole.data) : undefined;
  problems.push(...unpricedModels(file, agents.values(), budget, ({ path: at }) => at.split('.')));
  if (secrets !== undefined) problems.push(...(await missingSecrets(file, agents, secrets, keys)));
  // A value whose variable is missing may have other problems as well, which would add nothing.
  const told = new Set(unexpanded.map((problem) => problem.path));
  problems.splice(0, problems.length, ...unexpanded, ...problems.filter((problem) => !told.has(problem.path)));
  const root = agents.get('root') ?? agents.values().next().value;
  const permissions = permissionsSchema.safeParse(part(file, 'permissions'));
  if (problems.length > 0 || root === undefined || !permissions.success)
    throw new ConfigError(foreignModelsOnce(file, part(file, 'models'), providers.names, problems));
  return {
    file: path,
    models: known,
    agents,
    root,
    permissions: permissions.data,
    budget,
    secretVariables: secretVariables(asWritten.value, file.value),
    modelNamed,
  };
}

function readProviders(file: YamlFile): OwnProviders {
  const written = Object.entries(part(file, 'providers'));
  const read = written.flatMap(([name, value]) => {
    const shape = providerSchema.safeParse(value);
    return shape.success ? [[name, shape.data] as const] : [];
  });
  return { known: new Map(read), names: written.map(([name]) => name) };
}

function readServers(file: YamlFile, problems: Problem[]) {
  const written = Object.entries(part(file, 'mcps'));
  const read = written.flatMap(([name, value]) => {
    const shape = mcpSchema.safeParse(value);
    if (!shape.success) return [];
    const problem = wrongServer(shape.data);
    if (problem !== undefined) problems.push(file.problem(problem, ['mcps', name], 'key'));
    return problem === undefined ? [[name, shape.data] as const] : [];
  });
  return { known: new Map(read), names: written.map(([name]) => name) };
}

function readToolsets(file: YamlFile) {
  return readPart(file, 'toolsets', (_name, value) => toolsetSchema.safeParse(value).data);
}

function readShared(file: YamlFile): SharedParts {
  return {
    commands: readPart(file, 'commands', (name, value) => {
      const entry = sharedCommandsSchema.safeParse({ [name]: value }).data?.[name];
      return entry === undefined ? undefined : readSharedCommands(name, entry);
    }),
    skills: readPart(file, 'skills', (_name, value) => skillsSchema.safeParse(value).data),
    budgets: readPart(file, 'budgets', (name, value) => {
      const { data } = budgetSchema.safeParse(value);
      return data === undefined ? undefined : readBudget(`budgets.${name}`, data);
    }),
  };
}

/** The entries with the right shape below a key at the top of the file, and the names of all of them. */
function readPart<Entry>(
  file: YamlFile,
  key: string,
  read: (name: string, value: unknown) => Entry | undefined,
): Shared<Entry> {
  const known = new Map<string, Entry>();
  const written = Object.entries(part(file, key));
  for (const [name, value] of written) {
    const entry = read(name, value);
    if (entry !== undefined) known.set(name, entry);
  }
  return { known, names: written.map(([name]) => name) };
}

/** Problems of agents that would hand the conversation on to one another for ever. */
function circles(file: YamlFile, agents: ReadonlyMap<string, Agent>): Problem[] {
  return [...agents.values()].flatMap(({ name, forceHandoff }) => {
    const passed = [name];
    for (let next = forceHandoff; next !== undefined; next = agents.get(next)?.forceHandoff) {
      if (next === name) {
        const message = `these agents hand over in a circle (${[...passed, name].join(' → ')}); let one of them answer`;
        return [file.problem(message, ['agents', name, 'force_handoff'])];
      }
      if (passed.includes(next)) return [];
      passed.push(next);
    }
    return [];
  });
}

/** One problem for each key or secret that is missing, at the first place that needs it. */
async function missingSecrets(
  file: YamlFile,
  agents: ReadonlyMap<string, Agent>,
  secrets: Secrets,
  keys: boolean,
): Promise<Problem[]> {
  // Looked up at the same time: a program that hangs costs its deadline once, not once for each secret.
  const needed = neededSecrets([...agents.values()]).filter(({ byTool }) => keys || byTool);
  const asked = needed.map(async ({ names, path, inHeader }) => ({
    path,
    message: await secretProblem(secrets, names, inHeader),
  }));
  const problems = new Map<string, Problem>();
  for (const { path, message } of await Promise.all(asked)) {
    // A failure of a source is the same for every secret, and is reported once.
    if (message !== undefined && !problems.has(message)) problems.set(message, problemAt(file, message, path));
  }
  return [...problems.values()];
}

/** A problem at a place of the file, or at the file as a whole for a model that the command line named. */
function problemAt(file: YamlFile, message: string, path: Path): Problem {
  return path.length === 0 ? { file: '--model', path: '', message } : file.problem(message, path);
}

/** A mapping at the top of the file; empty where there is none. */
function part(file: YamlFile, key: string): Readonly<Record<string, unknown>> {
  const found = Object.hasOwn(top(file), key) ? top(file)[key] : undefined;
  return isMapping(found) ? found : {};
}

function top({ value }: YamlFile): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
