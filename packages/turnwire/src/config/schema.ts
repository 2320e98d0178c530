import { z } from 'zod';

/**
 * The shape of an agent file: what turnwire serves of docker-agent's format, and nothing else. Each message completes the
 * sentence `"key" must be …`. References between parts are resolved in config.ts and model.ts.
 */

const number = 'a number from 0 to 2';
const tokens = 'a whole number of tokens, 1 or more';
const name = 'a name (text)';
const address =
  'an http:// or https:// address without user name, query or fragment, such as https://api.example.com/v1 (provider_opts.transport chooses WebSocket or SSE)';
const variable = 'the name of an environment variable, such as MY_API_KEY, and never the key itself';

export const transports = ['auto', 'websocket', 'sse'] as const;

const transport = z
  .string('auto, websocket or sse')
  .transform((value) => value.toLowerCase())
  .pipe(z.enum(transports, 'auto, websocket or sse'));

export const modelSchema = z.strictObject(
  {
    provider: z.string(name).min(1, name),
    model: z.string(name).min(1, name),
    description: z.string('text').optional(),
    base_url: z.string(address).refine(isBaseUrl, address).optional(),
    token_key: z.string(variable).refine(isVariable, variable).optional(),
    temperature: z.number(number).min(0, number).max(2, number).optional(),
    max_tokens: z.int(tokens).min(1, tokens).optional(),
    provider_opts: z
      .strictObject({ transport: transport.optional() }, 'a mapping, such as { transport: websocket }')
      .optional(),
  },
  'a mapping with "provider" and "model"',
);

export const toolsetTypes = ['filesystem', 'shell'] as const;

const toolsetSchema = z.discriminatedUnion(
  'type',
  [z.strictObject({ type: z.literal('filesystem') }), z.strictObject({ type: z.literal('shell') })],
  'filesystem or shell',
);

export const agentSchema = z.strictObject(
  {
    model: z.string('a name from "models", or "provider/model"').min(1, 'a name from "models", or "provider/model"'),
    description: z.string('text').optional(),
    welcome_message: z.string('text').optional(),
    instruction: z.string('text').optional(),
    toolsets: z.array(toolsetSchema, 'a list, such as [{ type: shell }]').optional(),
  },
  'a mapping with "model" and "instruction"',
);

export const fileSchema = z.strictObject(
  {
    version: z.union([z.string(), z.number()], 'a version, such as "8"').optional(),
    metadata: z.record(z.string(), z.unknown(), 'a mapping').optional(),
    models: z.record(z.string(), modelSchema, 'a mapping from names to models').optional(),
    agents: z.strictObject({ root: agentSchema }, 'a mapping with the agent "root"'),
  },
  'a mapping with "agents"',
);

/** A toolset of an agent. */
export type Toolset = z.infer<typeof toolsetSchema>;

function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return (protocol === 'https:' || protocol === 'http:') && username + password + search + hash === '';
}

/** Refuses what is probably the key itself, so that no later sentence about a missing variable prints it. */
function isVariable(value: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(value)) return false;
  const mixed = /[a-z]/.test(value) && /[A-Z]/.test(value) && /\d/.test(value);
  return value.length < 20 || (value.includes('_') && !mixed);
}
