/**
 * The built-in providers of agent files.
 *
 * - `own`: turnwire knows the address and the names of the key. Without `baseUrl`, the client's default counts.
 * - `azure`: each customer has an address of their own, and the key may go to every address of Azure.
 * - `emulator`: needs no key; without a `base_url`, the run starts an emulator.
 * - `foreign`: a provider of docker-agent that turnwire does not support, with the reason.
 *
 * Any other name is a server that speaks the Responses API at the `base_url` of the model, or of the entry of that name in `providers`. Each
 * provider is one row.
 */
export type Provider =
  | { kind: 'own'; baseUrl: string | undefined; hosts: readonly string[]; tokenKeys: readonly string[] }
  | { kind: 'azure'; hosts: readonly string[]; tokenKeys: readonly string[] }
  | { kind: 'emulator' }
  | { kind: 'foreign'; reason: string };

const noResponses: Provider = { kind: 'foreign', reason: 'it does not speak the Responses API' };
const signIn: Provider = { kind: 'foreign', reason: 'it needs a sign-in that turnwire does not have' };
/** The advice about a model of an unsupported provider. */
const inPlace =
  'put a model in its place that does, such as openai/gpt-5.4, or one of xai, azure, openrouter or ollama';

function own(baseUrl: string, ...tokenKeys: string[]): Provider {
  return { kind: 'own', baseUrl, hosts: [new URL(baseUrl).host], tokenKeys };
}

export const providers: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  // Without an address, the client uses OPENAI_BASE_URL or api.openai.com, and decides where the key from the environment may go.
  ['openai', { kind: 'own', baseUrl: undefined, hosts: ['api.openai.com'], tokenKeys: ['OPENAI_API_KEY'] }],
  // The first name is docker-agent's, the second one that of Azure's SDKs (P11).
  [
    'azure',
    {
      kind: 'azure',
      hosts: ['*.openai.azure.com', '*.services.ai.azure.com', '*.cognitiveservices.azure.com'],
      tokenKeys: ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'],
    },
  ],
  ['xai', own('https://api.x.ai/v1', 'XAI_API_KEY')],
  ['vercel', own('https://ai-gateway.vercel.sh/v1', 'AI_GATEWAY_API_KEY')],
  ['openrouter', own('https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY')],
  // Servers on this machine, without a key.
  ['ollama', own('http://localhost:11434/v1')],
  ['emulator', { kind: 'emulator' }],
  ['anthropic', noResponses],
  ['google', noResponses],
  ['dmr', noResponses],
  ['amazon-bedrock', noResponses],
  ['github-copilot', signIn],
  ['chatgpt', signIn],
]);

/** The refusal of an unsupported provider, with its replacement; undefined for a supported one. */
export function foreignProvider(name: string): string | undefined {
  const provider = providers.get(name);
  if (provider?.kind !== 'foreign') return undefined;
  const instead = provider === noResponses ? inPlace : inPlace.replace(' that does', '');
  return `provider "${name}" is docker-agent's and not supported: ${provider.reason}; ${instead}`;
}

/**
 * True where a running turn can be given more input (`response.steer`). Other servers may answer the unknown event with an error that ends the turn, so they
 * are not sent it. A model of OpenAI that cannot be steered refuses without harm.
 */
export function canBeSteered({ provider, baseUrl }: { provider: string; baseUrl: string | undefined }): boolean {
  if (provider === 'emulator') return true;
  return provider === 'openai' && (baseUrl === undefined || new URL(baseUrl).host === 'api.openai.com');
}

/** Providers that docker-agent has an address for and turnwire does not: they work with a `base_url`. */
export const dockerAgentAliases: ReadonlySet<string> = new Set([
  'requesty',
  'nebius',
  'mistral',
  'minimax',
  'atlascloud',
  'baseten',
  'ovhcloud',
  'groq',
  'fireworks',
  'deepseek',
  'cerebras',
  'together',
  'huggingface',
  'moonshot',
  'cloudflare-workers-ai',
  'cloudflare-ai-gateway',
  'nvidia',
]);

/** The names of the key for a provider at `baseUrl`, where the file names none: the key goes only to the provider's own addresses (W8), and only over TLS. */
export function defaultTokenKeys(provider: Provider | undefined, baseUrl: string | undefined): readonly string[] {
  if (provider?.kind !== 'own' && provider?.kind !== 'azure') return [];
  if (baseUrl === undefined) return provider.tokenKeys;
  const { protocol, host } = new URL(baseUrl);
  const theirs = provider.hosts.some((own) => (own.startsWith('*') ? host.endsWith(own.slice(1)) : host === own));
  return protocol === 'https:' && theirs ? provider.tokenKeys : [];
}
