/**
 * Who serves a model, by the `provider` of the agent file.
 *
 * - `own`: turnwire knows the address, and the names of its key. No `baseUrl` means: the client's default.
 * - `azure`: each customer has an address of their own, and the key goes to all of Azure's.
 * - `emulator`: needs no key; without a `base_url` whoever runs the agent starts one.
 * - `foreign`: one of docker-agent's that cannot be spoken to, and why.
 *
 * Any other name is a server that speaks the Responses API at the `base_url` of the model, or of the entry of that name in `providers`. A
 * provider is one row.
 */
export type Provider =
  | { kind: 'own'; baseUrl: string | undefined; hosts: readonly string[]; tokenKeys: readonly string[] }
  | { kind: 'azure'; hosts: readonly string[]; tokenKeys: readonly string[] }
  | { kind: 'emulator' }
  | { kind: 'foreign'; reason: string };

const noResponses: Provider = { kind: 'foreign', reason: 'it does not speak the Responses API' };
const signIn: Provider = { kind: 'foreign', reason: 'it needs a sign-in that turnwire does not have' };
/** What is written in place of a model that cannot be spoken to. */
const inPlace =
  'put a model in its place that does, such as openai/gpt-5.4, or one of xai, azure, openrouter or ollama';

function own(baseUrl: string, ...tokenKeys: string[]): Provider {
  return { kind: 'own', baseUrl, hosts: [new URL(baseUrl).host], tokenKeys };
}

export const providers: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  // No address: OPENAI_BASE_URL or api.openai.com, which is the client's rule for where the key from the environment may go.
  ['openai', { kind: 'own', baseUrl: undefined, hosts: ['api.openai.com'], tokenKeys: ['OPENAI_API_KEY'] }],
  // The first name is docker-agent's, the other one that of Azure's own SDKs (P11).
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
  // On this machine, without a key.
  ['ollama', own('http://localhost:11434/v1')],
  ['emulator', { kind: 'emulator' }],
  ['anthropic', noResponses],
  ['google', noResponses],
  ['dmr', noResponses],
  ['amazon-bedrock', noResponses],
  ['github-copilot', signIn],
  ['chatgpt', signIn],
]);

/** What is said of a model whose provider cannot be spoken to, and what to write instead; undefined: it can. */
export function foreignProvider(name: string): string | undefined {
  const provider = providers.get(name);
  if (provider?.kind !== 'foreign') return undefined;
  const instead = provider === noResponses ? inPlace : inPlace.replace(' that does', '');
  return `provider "${name}" is docker-agent's and not supported: ${provider.reason}; ${instead}`;
}

/**
 * Whether a turn that runs may be given more input (`response.steer`). Elsewhere it is not tried: a server that does not know the event may answer
 * with an error that ends the turn. A model of a provider that does, but cannot itself, refuses it without harm.
 */
export function canBeSteered({ provider, baseUrl }: { provider: string; baseUrl: string | undefined }): boolean {
  if (provider === 'emulator') return true;
  return provider === 'openai' && (baseUrl === undefined || new URL(baseUrl).host === 'api.openai.com');
}

/** Aliases that docker-agent has an address for and turnwire does not: they work with a `base_url` of their own. */
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

/**
 * The names of the key that this provider may be sent at `baseUrl`, where the file names none: only at an address of its own (W8), and
 * there only over TLS.
 */
export function defaultTokenKeys(provider: Provider | undefined, baseUrl: string | undefined): readonly string[] {
  if (provider?.kind !== 'own' && provider?.kind !== 'azure') return [];
  if (baseUrl === undefined) return provider.tokenKeys;
  const { protocol, host } = new URL(baseUrl);
  const theirs = provider.hosts.some((own) => (own.startsWith('*') ? host.endsWith(own.slice(1)) : host === own));
  return protocol === 'https:' && theirs ? provider.tokenKeys : [];
}
