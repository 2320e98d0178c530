/** The settings of clients for this base URL. */
export function adviceForClients(
  baseUrl: URL,
  socketOpens: boolean,
  keyVariable: string | undefined,
): readonly string[] {
  const url = baseUrl.href.replace(/\/$/, '');
  const key = keyVariable ?? 'OPENAI_API_KEY';
  return [
    'Codex, in ~/.codex/config.toml:',
    '  model_provider = "checked"',
    '  [model_providers.checked]',
    '  name = "checked"',
    `  base_url = "${url}"`,
    `  env_key = "${key}"`,
    '  wire_api = "responses"',
    ...(socketOpens ? ['  supports_websockets = true'] : []),
    'OpenAI SDKs and what is built on them:',
    `  export OPENAI_BASE_URL=${url}`,
    ...(socketOpens
      ? ['@turnwire/client: createClient() and createFetch() take the WebSocket by themselves']
      : ["@turnwire/client: transport: 'sse' spares the upgrade that is refused"]),
  ];
}
