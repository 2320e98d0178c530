import { createHash } from 'node:crypto';
import { Refusal } from '../../base/refusal.js';
import { GatewayConfigError } from '../../config/problem.js';
import { accountNames } from '../../upstream/headers.js';
import type { Config, PrincipalConfig } from '../../config/schema.js';
import type { Principal } from '../../upstream/principal.js';

/** Finds the value of a secret by its name; undefined where there is none. */
export type SecretSource = (name: string) => Promise<string | undefined>;

type Headers = Readonly<Record<string, string>>;

/** A key for the upstream: its headers when the configuration was read, and the function that reads it again. */
interface OwnKey {
  headers: Headers;
  ask: () => Promise<Headers>;
}

interface Known {
  name: string;
  key: OwnKey | undefined;
  policy: Principal['policy'];
}

/** Principals with passed keys that are remembered: making one costs two hashes. */
const maxPassed = 1000;

/** The principals that may use the gateway, each with its identity at the upstream. */
export class Principals {
  readonly #byHash: ReadonlyMap<string, Known> | undefined;
  /** The gateway's key for clients whose own keys are not passed on. */
  readonly #own: OwnKey | undefined;
  readonly #passed = new Map<string, Principal>();

  private constructor(byHash: ReadonlyMap<string, Known> | undefined, own: OwnKey | undefined) {
    this.#byHash = byHash;
    this.#own = own;
  }

  /** @throws GatewayConfigError for a secret that is missing or unusable. */
  static async create({ principals, upstream }: Config, secret: SecretSource, file: string): Promise<Principals> {
    const problems: { file: string; path: string; message: string }[] = [];
    const keyOf = async (name: string, path: string): Promise<OwnKey> => {
      const ask = (): Promise<Headers> => askFor(name, secret);
      const headers = await ask().catch((error: unknown) => {
        problems.push({ file, path, message: error instanceof Error ? error.message : String(error) });
        return {};
      });
      return { headers, ask };
    };
    const own = upstream.key === undefined ? undefined : await keyOf(upstream.key, 'upstream.key');
    const byHash = new Map<string, Known>();
    for (const [index, given] of (principals ?? []).entries()) {
      const { name, keys, upstream_key: key } = given;
      const ownKey = key === undefined ? own : await keyOf(key, `principals[${index}].upstream_key`);
      for (const hash of keys) byHash.set(hash, { name, key: ownKey, policy: policyOf(given) });
    }
    if (problems.length > 0) throw new GatewayConfigError(problems);
    return new Principals(principals === undefined ? undefined : byHash, own);
  }

  /** True where clients must send a key that the configuration has. */
  get required(): boolean {
    return this.#byHash !== undefined;
  }

  /**
   * @param identity the headers of a request that identify its client.
   * @throws Refusal (401) for an unknown key.
   */
  of(identity: Headers): Principal {
    if (this.#byHash === undefined) return this.#pass(identity);
    const key = keyIn(identity);
    const known = key === undefined ? undefined : this.#byHash.get(`sha256:${sha256(key)}`);
    if (known === undefined) {
      const message =
        key === undefined
          ? 'this gateway asks for a key: send it as "Authorization: Bearer …"'
          : 'this gateway does not know the key that was sent';
      throw new Refusal(message, { status: 401, code: 'invalid_api_key', headers: { 'www-authenticate': 'Bearer' } });
    }
    const { name, key: own, policy } = known;
    return {
      id: `principal ${name}`,
      name,
      received: identity,
      identity: { ...withoutAccount(identity), ...own?.headers },
      credential: own?.ask,
      policy,
    };
  }

  #pass(identity: Headers): Principal {
    const text = JSON.stringify(identity);
    const known = this.#passed.get(text);
    if (known !== undefined) return known;
    const key = keyIn(identity);
    const principal: Principal = {
      id: `passed ${sha256(text)}`,
      name: key === undefined ? 'anonymous' : `key-${sha256(key).slice(0, 8)}`,
      received: identity,
      identity: this.#own === undefined ? identity : { ...withoutAccount(identity), ...this.#own.headers },
      credential: this.#own?.ask,
      policy: undefined,
    };
    if (this.#passed.size >= maxPassed) this.#passed.clear();
    this.#passed.set(text, principal);
    return principal;
  }
}

/** @throws Refusal when the key is missing now, or cannot stand in a header. */
async function askFor(name: string, secret: SecretSource): Promise<Headers> {
  const value = await secret(name).catch((error: unknown) => {
    throw withoutKey(error instanceof Error ? error.message : String(error));
  });
  if (value === undefined || value === '')
    throw withoutKey(`there is no secret ${name}: set it in the environment (docs/secrets.md)`);
  if (/[^\u0021-\u007E]/.test(value))
    throw withoutKey(`the secret ${name} is no key: it has a blank, a line break or a character that is not ASCII`);
  return { authorization: `Bearer ${value}` };
}

/** The refusal of a request for which the gateway has no key: it is not sent to the upstream. */
function withoutKey(message: string): Refusal {
  return new Refusal(message, { status: 502, code: 'upstream_unreachable' });
}

/** The form in which a key stands in the configuration. */
export function hashKey(key: string): string {
  return `sha256:${sha256(key)}`;
}

function policyOf(given: PrincipalConfig): Principal['policy'] {
  return {
    models: given.models && new Set(given.models),
    aliases: new Map(Object.entries(given.aliases)),
    concurrentTurns: given.concurrent_turns,
    requestsPerMinute: given.requests_per_minute,
    tokensPerMinute: given.tokens_per_minute,
  };
}

function keyIn({ authorization, 'api-key': apiKey, 'x-api-key': xApiKey }: Headers): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  return bearer ?? apiKey ?? xApiKey;
}

function withoutAccount(identity: Headers): Record<string, string> {
  return Object.fromEntries(Object.entries(identity).filter(([name]) => !accountNames.has(name)));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
