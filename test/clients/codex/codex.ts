// Codex with a provider of its configuration file, as its users set it up.
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CodexApp } from './codex-app.js';
import { bin, home, run, type Ended } from '../client.js';

/** Runs `codex` with these arguments, in the same home each time. */
export type Codex = (args: readonly string[]) => Promise<Ended>;

export interface CodexSettings {
  readonly baseURL: string;
  readonly webSockets: boolean;
  /** @default 'gpt-5.4' */
  readonly model?: string;
  /** Codex treats a provider named `OpenAI` as its own: it compacts by `compaction_trigger`. @default 'tested' */
  readonly provider?: string;
  /** A ChatGPT login, and the certificate of the authority that it is to trust. @default an API key */
  readonly login?: { readonly ca: string };
  /** Further lines of the configuration file. */
  readonly lines?: readonly string[];
}

/** The block of docs/gateway.md for `config.toml`, with another address. */
export function documentedConfig(baseURL: string): string {
  const page = readFileSync(new URL('../../../docs/gateway.md', import.meta.url), 'utf8');
  const [, block] = /```toml\n([^]*?)```/.exec(page) ?? [];
  if (block?.includes(documentedURL) !== true) throw new Error('docs/gateway.md has no config.toml with its address');
  return block.replace(documentedURL, baseURL);
}

const documentedURL = 'http://127.0.0.1:4000/v1';

/** Codex' home with that configuration, and its working folder below it. */
export interface CodexHome {
  readonly work: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function codexHome(t: TestContext, settings: CodexSettings): Promise<CodexHome> {
  const { baseURL, webSockets, model = 'gpt-5.4', provider = 'tested', login, lines = [] } = settings;
  const folder = await home(t);
  const work = join(folder, 'work');
  await mkdir(work);
  const credentials = login === undefined ? ['env_key = "OPENAI_API_KEY"'] : ['requires_openai_auth = true'];
  await writeFile(
    join(folder, 'config.toml'),
    [
      `model = "${model}"`,
      'model_provider = "tested"',
      'approval_policy = "never"',
      'sandbox_mode = "danger-full-access"',
      ...(login === undefined ? [] : [`chatgpt_base_url = "${new URL('/backend-api/', baseURL).href}"`]),
      ...lines,
      '[model_providers.tested]',
      `name = "${provider}"`,
      `base_url = "${baseURL}"`,
      ...credentials,
      'wire_api = "responses"',
      `supports_websockets = ${webSockets}`,
      '',
    ].join('\n'),
  );
  const env = { CODEX_HOME: folder, OPENAI_API_KEY: 'any', NO_COLOR: '1' };
  if (login === undefined) return { work, env };
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, login.ca);
  await writeFile(join(folder, 'auth.json'), JSON.stringify(chatGptLogin()));
  return { work, env: { ...env, SSL_CERT_FILE: authority } };
}

export async function configuredCodex(t: TestContext, baseURL: string, webSockets: boolean): Promise<Codex> {
  const { work, env } = await codexHome(t, { baseURL, webSockets });
  return (args) => run(t, bin('codex'), args, work, env);
}

export async function codexApp(t: TestContext, settings: CodexSettings): Promise<CodexApp> {
  const { work, env } = await codexHome(t, settings);
  return CodexApp.start(t, work, env);
}

/** The files of a login. Codex reads the tokens, and does not check their signatures. */
function chatGptLogin(): object {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    email: 'user@example.com',
    exp: 4_102_444_800,
    'https://api.openai.com/auth': {
      chatgpt_plan_type: 'pro',
      chatgpt_user_id: 'user-1',
      chatgpt_account_id: 'account-1',
      user_id: 'user-1',
    },
  };
  const token = `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.c2ln`;
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: { id_token: token, access_token: token, refresh_token: 'any', account_id: 'account-1' },
    last_refresh: new Date().toISOString(),
  };
}
