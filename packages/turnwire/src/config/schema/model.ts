import { z } from 'zod';
import { apiType, providerOptions } from './provider-options.js';
import { baseUrl, between, flag, name, text, texts, threshold, variable, whole } from './values.js';

export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
const effort =
  'none, minimal, low, medium, high, xhigh, max or adaptive (budgets in tokens are for models without the Responses API)';

/** How much the model reasons; 0 is `none`. */
const thinkingBudget = z.union([z.enum([...efforts, 'adaptive'], effort), z.literal(0, effort)], effort);

const totalTokens = whole(1, 'of tokens');
const budget = 'a whole number of tokens, or a mapping with "total"';

/** A number of tokens, or a mapping with the same number as `total`. */
const taskBudget = z
  .union(
    [
      totalTokens,
      z.strictObject(
        {
          type: z.literal('tokens', 'tokens').optional().describe('tokens, the only kind.'),
          total: totalTokens.describe('Tokens.'),
        },
        budget,
      ),
    ],
    budget,
  )
  .transform((written) => (typeof written === 'number' ? written : written.total));

const price = z.number('a price in US dollars for a million tokens, 0 or more').min(0, 'a price, 0 or more');

/** Settings that a provider can have for all its models, and a model for itself. */
const settings = {
  base_url: baseUrl
    .optional()
    .describe('The address, with its version: https://host/v1. Default: the address of the provider.'),
  token_key: variable
    .optional()
    .describe(
      'The name under which the key is found, usually an environment variable. Default: the name of the provider, at its own address alone; otherwise no key is sent.',
    ),
  temperature: between(0, 2).optional().describe('Sampling temperature, 0 to 2. Default: that of the provider.'),
  top_p: between(0, 1).optional().describe('Nucleus sampling, 0 to 1. Default: that of the provider.'),
  max_tokens: whole(1, 'of tokens')
    .optional()
    .describe('The most output tokens of one turn, reasoning included. Default: the limit of the provider.'),
  parallel_tool_calls: flag
    .optional()
    .describe('Whether the model may ask for several tools in one turn. Default: not sent, which allows it.'),
  track_usage: flag.optional().describe('Count tokens and cost of this model. Default: true.'),
  thinking_budget: thinkingBudget
    .optional()
    .describe(
      'Reasoning effort: none (or 0), minimal, low, medium, high, xhigh or max; adaptive leaves it to the model. Default: that of the model.',
    ),
  compaction_model: name
    .optional()
    .describe('The model that sums up a history that is too long. Default: the agent’s model.'),
  provider_opts: providerOptions.optional().describe('Settings of the connection and of this kind of provider.'),
};

/** An entry of `models`. */
export const modelSchema = z.strictObject(
  {
    provider: name.describe(
      'openai, xai, azure, emulator, another built-in provider, one of "providers", or any name with a base_url.',
    ),
    model: name.describe('The provider’s name of the model.'),
    description: text.optional().describe('For readers.'),
    ...settings,
    cost: z
      .strictObject(
        {
          input: price.default(0).describe('Input tokens. Default: 0.'),
          output: price.default(0).describe('Output tokens, reasoning included. Default: 0.'),
          cache_read: price.optional().describe('Input tokens that the provider had cached. Default: as input.'),
          cache_write: price.optional().describe('Input tokens written to the cache. Default: as input.'),
        },
        'a mapping with "input" and "output", in US dollars for a million tokens',
      )
      .optional()
      .describe('Prices in US dollars for a million tokens. Default: the cost of a run is unknown.'),
    capabilities: z
      .strictObject(
        {
          image: flag
            .default(false)
            .describe('Whether the model takes images; those that it does not take are named. Default: false.'),
          pdf: flag.default(false).describe('turnwire sends no PDF, whatever this says. Default: false.'),
          audio: flag.default(false).describe('turnwire sends no audio, whatever this says. Default: false.'),
          video: flag.default(false).describe('turnwire sends no video, whatever this says. Default: false.'),
        },
        'a mapping with "image", "pdf", "audio" and "video"',
      )
      .optional()
      .describe('The kinds of content that the model takes. Default: images.'),
    compaction_threshold: threshold
      .optional()
      .describe('The part of the context window at which the history is compacted. Default: that of the agent.'),
    title_model: name
      .optional()
      .describe('The model that gives a session its title, after its first answer. Default: a session has none.'),
    task_budget: taskBudget
      .optional()
      .describe('The most output tokens of the work on one prompt; more end the run. Default: no limit.'),
    routing: z
      .array(
        z.strictObject(
          {
            model: name.describe('The model that answers prompts like these.'),
            examples: texts.min(1, 'a list of at least one prompt').describe('Examples of these prompts.'),
          },
          'a mapping with "model" and "examples"',
        ),
        'a list of mappings with "model" and "examples"',
      )
      .optional()
      .describe('Other models, by examples of prompts. A prompt that is like none goes to this model. Default: none.'),
  },
  'a mapping with "provider" and "model"',
);

const references = 'a list of models, each a name from "models" or "provider/model"';

/** An entry of `models` that stands for the first available one of several. */
export const firstAvailableSchema = z.strictObject(
  {
    first_available: z
      .array(name, references)
      .min(1, references)
      .describe('Models in their order. When the file is read, the first one whose key is there is chosen.'),
    description: text.optional().describe('For readers.'),
  },
  'a mapping with "first_available"',
);

/** An entry of `models`: a model, or a choice between models. */
export const modelEntrySchema = z.union([modelSchema, firstAvailableSchema], 'a mapping with "provider" and "model"');

/** An entry of `providers`. */
export const providerSchema = z.strictObject(
  {
    provider: z
      .enum(['openai'], 'openai, or left out (turnwire speaks the Responses API alone)')
      .optional()
      .describe('The kind of server: openai, the default.'),
    api_type: apiType.optional().describe('The API to speak: openai_responses, the default and the only one.'),
    ...settings,
    base_url: baseUrl.describe('The address, with its version: https://host/v1.'),
  },
  'a mapping with "base_url"',
);

export type ModelDefinition = z.output<typeof modelSchema>;
export type ProviderDefinition = z.output<typeof providerSchema>;
