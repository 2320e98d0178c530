/**
 * Who serves a model, by the `provider` of the agent file.
 *
 * - `own`: turnwire knows the address and the variable of its key. No `baseUrl` means: the client's default.
 * - `emulator`: needs no key; without a `base_url` whoever runs the agent starts one.
 * - `foreign`: one of docker-agent's that does not speak the Responses API.
 *
 * Any other name is a server that speaks the Responses API at the `base_url` of the model. Issue by issue this table grows; a
 * provider is one row.
 */
export type Provider =
  | { kind: 'own'; baseUrl: string | undefined; hosts: readonly string[]; tokenKey: string }
  | { kind: 'emulator' }
  | { kind: 'foreign' };

const foreign: Provider = { kind: 'foreign' };

export const providers: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  // No address: OPENAI_BASE_URL or api.openai.com, which is the client's rule for where the key from the environment may go.
  ['openai', { kind: 'own', baseUrl: undefined, hosts: ['api.openai.com'], tokenKey: 'OPENAI_API_KEY' }],
  ['xai', { kind: 'own', baseUrl: 'https://api.x.ai/v1', hosts: ['api.x.ai'], tokenKey: 'XAI_API_KEY' }],
  ['emulator', { kind: 'emulator' }],
  ['anthropic', foreign],
  ['google', foreign],
  ['dmr', foreign],
  ['amazon-bedrock', foreign],
  ['github-copilot', foreign],
]);

/** Aliases that docker-agent has an address for and turnwire does not: they work with a `base_url` of their own. */
export const dockerAgentAliases: ReadonlySet<string> = new Set([
  'azure',
  'requesty',
  'nebius',
  'mistral',
  'ollama',
  'minimax',
]);

/**
 * The variable whose key this provider may be sent at `baseUrl`, where the file names none: only at an address of its own (W8), and
 * there only over TLS.
 */
export function defaultTokenKey(provider: Provider | undefined, baseUrl: string | undefined): string | undefined {
  if (provider?.kind !== 'own') return undefined;
  if (baseUrl === undefined) return provider.tokenKey;
  const { protocol, host } = new URL(baseUrl);
  return protocol === 'https:' && provider.hosts.includes(host) ? provider.tokenKey : undefined;
}
