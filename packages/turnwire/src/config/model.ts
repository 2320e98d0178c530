import type { TransportChoice } from '@turnwire/client';
import type { z } from 'zod';
import { nearest } from './nearest.js';
import { type Problem, show } from './problem.js';
import { defaultTokenKey, dockerAgentAliases, providers } from './providers.js';
import { modelSchema } from './schema.js';
import type { Path, YamlFile } from './yaml-file.js';

/** A model that can be called: everything looked up, nothing left to guess. */
export interface Model {
  /** Its name under `models`, or `provider/model` where it was given inline. */
  name: string;
  provider: string;
  /** What the provider calls it. */
  model: string;
  /** Undefined: the client's default for `openai`, and for `emulator` one that is started for the run. */
  baseUrl: string | undefined;
  /** The variable that holds the key. Undefined: none is sent, so that no key goes to a host it does not belong to. */
  tokenKey: string | undefined;
  temperature: number | undefined;
  /** Output tokens of a turn at most. Undefined: the provider's own limit. */
  maxTokens: number | undefined;
  /**
   * `auto` where the file says nothing, while docker-agent's default is `sse`: our WebSocket falls back to SSE within the turn, so
   * that trying it first costs a file nothing. Upper and lower case are the same, as there.
   */
  transport: TransportChoice;
  /** Where the file speaks of this model. */
  path: Path;
}

type Read = { model: Model } | { problem: Problem };

/** Reads the model `name` of a file; undefined where its shape is wrong, which `checkShape` has reported already. */
export function readModel(file: YamlFile, name: string, value: unknown): Read | undefined {
  const path = ['models', name];
  const shape = modelSchema.safeParse(value);
  return shape.success ? resolve(file, name, shape.data, path, [...path, 'provider']) : undefined;
}

/**
 * Finds the model that an agent names: one of `models`, or an inline `provider/model`, which takes all defaults of that provider.
 * Several models in one text (`a,b`, docker-agent's alloys) and `auto` are not served: an agent has one model.
 */
export function findModel(
  file: YamlFile,
  reference: string,
  path: Path,
  models: ReadonlyMap<string, Model>,
  names: readonly string[],
): Read | undefined {
  const named = models.get(reference);
  if (named !== undefined) return { model: named };
  // It is there, and what is wrong with it has been said.
  if (names.includes(reference)) return undefined;
  const refuse = (message: string): Read => ({ problem: file.problem(message, path) });
  if (reference.includes(','))
    return refuse(`several models in one agent are not supported; name one of ${show(reference)}`);
  const slash = reference.indexOf('/');
  if (slash > 0 && slash < reference.length - 1) {
    const definition = { provider: reference.slice(0, slash), model: reference.slice(slash + 1) };
    return resolve(file, reference, definition, path, path);
  }
  if (reference === 'auto')
    return refuse('"auto" is a docker-agent model that turnwire does not support yet; name a model');
  const guess = nearest(reference, names);
  const advice =
    guess === undefined ? 'define it under "models", or write provider/model' : `did you mean ${show(guess)}?`;
  return refuse(`there is no model ${show(reference)}; ${advice}`);
}

function resolve(
  file: YamlFile,
  name: string,
  definition: z.infer<typeof modelSchema>,
  path: Path,
  providerPath: Path,
): Read {
  const provider = providers.get(definition.provider);
  const own = provider?.kind === 'own' ? provider.baseUrl : undefined;
  const baseUrl = definition.base_url ?? own;
  const refuse = (message: string): Read => ({ problem: file.problem(message, providerPath) });
  if (provider?.kind === 'foreign') {
    return refuse(
      `provider ${show(definition.provider)} is docker-agent's and not supported: it does not speak the Responses API`,
    );
  }
  if (provider === undefined && baseUrl === undefined) return refuse(needsAddress(definition.provider));
  return {
    model: {
      name,
      provider: definition.provider,
      model: definition.model,
      baseUrl,
      tokenKey: definition.token_key ?? defaultTokenKey(provider, definition.base_url),
      temperature: definition.temperature,
      maxTokens: definition.max_tokens,
      transport: definition.provider_opts?.transport ?? 'auto',
      path: definition.token_key === undefined ? providerPath : [...path, 'token_key'],
    },
  };
}

function needsAddress(provider: string): string {
  const advice = 'give the model a "base_url" under "models"';
  if (dockerAgentAliases.has(provider))
    return `provider ${show(provider)} has no address built in here, unlike in docker-agent; ${advice}`;
  const guess = nearest(provider, providers.keys());
  return `unknown provider ${show(provider)}; ${guess === undefined ? advice : `did you mean ${show(guess)}? If not, ${advice}`}`;
}
