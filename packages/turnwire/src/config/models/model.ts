import type { TransportChoice } from '@turnwire/client';
import { azureAddress } from './azure.js';
import { nearest } from '../file/nearest.js';
import { type Problem, show } from '../file/problem.js';
import { defaultTokenKeys, dockerAgentAliases, foreignProvider, type Provider, providers } from './providers.js';
import { type efforts, modelSchema, type ModelDefinition, type ProviderDefinition } from '../schema/model.js';
import type { Path, YamlFile } from '../file/yaml-file.js';

/** A model with its address, its keys and all defaults. */
export interface Model {
  /** Its name under `models`, or `provider/model` where it was given inline. */
  name: string;
  provider: string;
  /** The provider's name of the model. */
  model: string;
  /** The base URL. undefined: for `openai` the client's default, for `emulator` an emulator that the run starts. */
  baseUrl: string | undefined;
  /** The names of its key: the first one that is found is sent. Empty: no key is sent, so that no key reaches a host that it does not belong to. */
  tokenKeys: readonly string[];
  /** Further headers; values may contain `${env.NAME}`. */
  headers: Readonly<Record<string, string>>;
  temperature: number | undefined;
  topP: number | undefined;
  /** The most output tokens of a turn. undefined: the provider's own limit. */
  maxTokens: number | undefined;
  /** undefined: the field is not sent, and the provider allows parallel calls. */
  parallelToolCalls: boolean | undefined;
  /** undefined: the field is not sent, and the model uses its default. */
  effort: (typeof efforts)[number] | undefined;
  serviceTier: string | undefined;
  /** undefined: the field is not sent, and the provider stores responses. */
  store: boolean | undefined;
  /** True where tokens and cost of this model are counted. */
  trackUsage: boolean;
  /** The price in US dollars for a million tokens. undefined: unknown. */
  cost: Cost | undefined;
  /** False where the file says that the model takes no images. */
  takesImages: boolean;
  /** The context window in tokens. undefined: unknown. */
  contextSize: number | undefined;
  /** Time limits in milliseconds. undefined: the client's own limits. */
  timeouts: { firstEventMs: number | undefined; idleMs: number | undefined };
  /** The part of the context window at which the history is compacted. undefined: the agent's setting. */
  compactionThreshold: number | undefined;
  /** The most output tokens of the work on one prompt. undefined: no limit. */
  taskBudget: number | undefined;
  /** Other models that this one names. They are filled in once all models of the file have been read, since models may name one another. */
  links: ModelLinks;
  /**
   * The transport: `auto` where the file does not say, while docker-agent's default is `sse`. turnwire falls back from the WebSocket to SSE within the turn,
   * so that trying the WebSocket first costs nothing. Upper and lower case are the same, as in docker-agent.
   */
  transport: TransportChoice;
  /** The place in the file of this model's key; that of its provider where no key is named. */
  path: Path;
}

/** Models that a model names. */
export interface ModelLinks {
  /** The model that sums up a history. undefined: the model itself. */
  compaction: Model | undefined;
  /** The model that gives a session its title. undefined: sessions have no title. */
  title: Model | undefined;
  /** Rules that send some prompts to other models. */
  routes: readonly Route[];
}

export interface Route {
  model: Model;
  /** Examples of the prompts that go to this model. */
  examples: readonly string[];
}

export interface Cost {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

type Read = { model: Model } | { problem: Problem };

/** The `providers` of the file: those with the right shape, and the names of all of them. */
export interface OwnProviders {
  readonly known: ReadonlyMap<string, ProviderDefinition>;
  readonly names: readonly string[];
}

/** Reads the model `name` of a file; undefined where its shape is wrong, which `checkShape` reports. */
export function readModel(file: YamlFile, name: string, value: unknown, own: OwnProviders): Read | undefined {
  const path = ['models', name];
  const shape = modelSchema.safeParse(value);
  return shape.success ? resolve(file, name, shape.data, { path, provider: [...path, 'provider'] }, own) : undefined;
}

/** The models of a file that could be read. */
export interface Models {
  readonly known: ReadonlyMap<string, Model>;
  readonly names: readonly string[];
  readonly providers: OwnProviders;
  /** Names that stand for another model: `auto`, and the entries with `first_available`. */
  readonly chosen: ReadonlyMap<string, string>;
}

/**
 * Finds the model of a name: an entry of `models`; an inline `provider/model`, with all defaults of that provider; or the model that was chosen for `auto` or
 * `first_available`.
 */
export function findModel(file: YamlFile, reference: string, path: Path, models: Models): Read | undefined {
  const named = models.known.get(reference);
  if (named !== undefined) return { model: named };
  const chosen = models.chosen.get(reference);
  if (chosen !== undefined) return findModel(file, chosen, path, models);
  // The entry exists, and its problems have been reported.
  if (models.names.includes(reference)) return undefined;
  const refuse = (message: string): Read => ({ problem: file.problem(message, path) });
  if (reference.includes(','))
    return refuse(
      `here stands one model, and only "model" of an agent may have several; name one of ${show(reference)}`,
    );
  const slash = reference.indexOf('/');
  if (slash > 0 && slash < reference.length - 1) {
    const definition = { provider: reference.slice(0, slash), model: reference.slice(slash + 1) };
    const read = resolve(file, reference, definition, { path: undefined, provider: path }, models.providers);
    if (read === undefined || 'problem' in read) return read;
    const problem = linkModel(file, read.model, {}, models)[0];
    return problem === undefined ? read : { problem };
  }
  if (reference === 'auto') return refuse('"auto" can stand in the file alone; name a model');
  const guess = nearest(reference, models.names);
  const advice =
    guess === undefined ? 'define it under "models", or write provider/model' : `did you mean ${show(guess)}?`;
  return refuse(`there is no model ${show(reference)}; ${advice}`);
}

/** Fills in the other models that a model names, and reports those that do not exist. */
export function linkModel(
  file: YamlFile,
  model: Model,
  written: Partial<ModelDefinition>,
  models: Models,
): readonly Problem[] {
  const problems: Problem[] = [];
  const find = (reference: string | undefined, path: Path): Model | undefined => {
    // A model that names itself, directly or through its provider, does the work itself.
    if (reference === undefined || reference === model.name) return undefined;
    const read = findModel(file, reference, path, models);
    if (read !== undefined && 'problem' in read) problems.push(read.problem);
    return read !== undefined && 'model' in read ? read.model : undefined;
  };
  const path = ['models', model.name];
  const inherited = models.providers.known.get(model.provider)?.compaction_model;
  model.links.compaction =
    written.compaction_model === undefined
      ? find(inherited, ['providers', model.provider, 'compaction_model'])
      : find(written.compaction_model, [...path, 'compaction_model']);
  model.links.title = find(written.title_model, [...path, 'title_model']);
  model.links.routes = (written.routing ?? []).flatMap(({ model: to, examples }, index) => {
    const found = to === model.name ? model : find(to, [...path, 'routing', index, 'model']);
    return found === undefined ? [] : [{ model: found, examples }];
  });
  return problems;
}

interface Places {
  /** The place of the model's own entry; undefined for an inline model. */
  path: Path | undefined;
  provider: Path;
}

function resolve(
  file: YamlFile,
  name: string,
  written: ModelDefinition,
  places: Places,
  own: OwnProviders,
): Read | undefined {
  const inherited = own.known.get(written.provider);
  // The entry exists, and its problems have been reported.
  if (inherited === undefined && own.names.includes(written.provider)) return undefined;
  const builtIn = inherited === undefined ? providers.get(written.provider) : undefined;
  const options = { ...inherited?.provider_opts, ...written.provider_opts };
  const address = addressOf(written, inherited, builtIn, options.api_version, own.names);
  if ('problem' in address) return { problem: file.problem(address.problem, placeOf(places, address.at)) };
  const { baseUrl } = address;
  // Headers and key of an entry of `providers` belong to its address: a model with another origin has to bring its own (W8).
  const theirs = inherited !== undefined && sameOrigin(baseUrl, inherited.base_url) ? inherited : undefined;
  const tokenKey = written.token_key ?? theirs?.token_key;
  const settings = { ...inherited, ...defined(written) };
  const ownKey = written.token_key !== undefined && places.path !== undefined;
  return {
    model: {
      name,
      provider: written.provider,
      model: written.model,
      baseUrl,
      tokenKeys: tokenKey === undefined ? defaultTokenKeys(builtIn, baseUrl) : [tokenKey],
      headers: { ...theirs?.provider_opts?.http_headers, ...written.provider_opts?.http_headers },
      temperature: settings.temperature,
      topP: settings.top_p,
      maxTokens: settings.max_tokens,
      parallelToolCalls: settings.parallel_tool_calls,
      effort: effortOf(settings.thinking_budget),
      serviceTier: options.service_tier,
      store: options.store,
      trackUsage: settings.track_usage ?? true,
      cost: costOf(written.cost),
      takesImages: written.capabilities === undefined || written.capabilities.image,
      contextSize: options.context_size,
      timeouts: { firstEventMs: options.first_event_timeout, idleMs: options.idle_timeout },
      compactionThreshold: written.compaction_threshold,
      taskBudget: written.task_budget,
      links: { compaction: undefined, title: undefined, routes: [] },
      transport: options.transport ?? 'auto',
      path: ownKey ? placeOf(places, 'token_key') : places.provider,
    },
  };
}

function effortOf(budget: ModelDefinition['thinking_budget']): Model['effort'] {
  if (budget === 0) return 'none';
  return budget === 'adaptive' ? undefined : budget;
}

type Key = 'provider' | 'base_url' | 'token_key' | 'api_version';

function placeOf({ path, provider }: Places, key: Key): Path {
  if (path === undefined || key === 'provider') return provider;
  return key === 'api_version' ? [...path, 'provider_opts', key] : [...path, key];
}

/** The address of a model, or the problem why it has none. */
function addressOf(
  written: ModelDefinition,
  inherited: ProviderDefinition | undefined,
  builtIn: Provider | undefined,
  version: string | undefined,
  names: readonly string[],
): { baseUrl: string | undefined } | { problem: string; at: Key } {
  const { provider } = written;
  const given = written.base_url ?? inherited?.base_url;
  const foreign = builtIn === undefined ? undefined : foreignProvider(provider);
  if (foreign !== undefined) return { problem: foreign, at: 'provider' };
  if (builtIn?.kind === 'azure') {
    if (given !== undefined) return azureAddress(given, version);
    const problem =
      'Azure has an address for each resource; give the model a "base_url", https://NAME.openai.azure.com';
    return { problem, at: 'provider' };
  }
  if (version !== undefined)
    return { problem: '"api_version" is for the provider azure; remove it', at: 'api_version' };
  if (builtIn === undefined && given === undefined) return { problem: needsAddress(provider, names), at: 'provider' };
  return { baseUrl: given ?? (builtIn?.kind === 'own' ? builtIn.baseUrl : undefined) };
}

function sameOrigin(one: string | undefined, other: string): boolean {
  return one !== undefined && new URL(one).origin === new URL(other).origin;
}

function costOf(cost: ModelDefinition['cost']): Cost | undefined {
  if (cost === undefined) return undefined;
  const { input, output, cache_read: cacheRead = input, cache_write: cacheWrite = input } = cost;
  return { input, output, cacheRead, cacheWrite };
}

function needsAddress(provider: string, names: readonly string[]): string {
  const advice = 'give the model a "base_url" under "models"';
  if (dockerAgentAliases.has(provider))
    return `provider ${show(provider)} has no address built in here, unlike in docker-agent; ${advice}`;
  const guess = nearest(provider, [...names, ...providers.keys()]);
  return `unknown provider ${show(provider)}; ${guess === undefined ? advice : `did you mean ${show(guess)}? If not, ${advice}`}`;
}

/** The fields that are set, so that missing ones do not hide those of the provider. */
function defined<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}
