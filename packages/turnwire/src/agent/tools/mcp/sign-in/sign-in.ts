import { randomUUID } from 'node:crypto';
import type * as Auth from '@modelcontextprotocol/sdk/client/auth.js';
import type { Response } from 'undici';
import type { OAuthDefinition } from '../../../../config/schema/oauth.js';
import { portPlaceholder } from '../../../../config/schema/oauth.js';
import { messageOf } from '../../../base/abort.js';
import { isYes } from '../../../base/yes.js';
import { McpFailure } from '../failure.js';
import { type Http, type HttpRequest, openHttp } from '../transports/http.js';
import { CallbackServer } from './callback-server.js';
import { type Credentials, CredentialsFile } from './credentials-file.js';

/** The functions through which a sign-in reaches the user. */
export interface SignInUser {
  askUser: ((question: string, options: { signal: AbortSignal }) => Promise<string | undefined>) | undefined;
  /** Opens an address in the browser. @throws Error if it cannot be opened */
  browse: (address: string) => Promise<void>;
  /** Shows the user a sentence. */
  tell: (message: string) => void;
}

export interface SignInOptions extends SignInUser {
  /** The name of the server in messages. */
  label: string;
  url: URL;
  /** The `oauth` of the file. @default the client registers itself */
  oauth: OAuthDefinition | undefined;
  /** The folder of turnwire in the user's home; undefined: nothing is stored. */
  home: string | undefined;
}

/** Thrown where the sign-in did not succeed; the message is a sentence about the server. */
export class SignInFailure extends Error {}

/** The demands of a refusal about the sign-in. */
interface Challenge {
  resourceMetadataUrl?: URL;
  scope?: string;
  /** `insufficient_scope`: the token is valid, but does not allow this request. */
  error?: string;
}

/** Thrown by a renewal that needs the user; a caller that may ask the user does. */
class SignInNeeded extends Error {}

const notAtTerminal =
  'it wants a sign-in; start turnwire run at a terminal and sign in there once, or send a token by "headers" of "remote", such as Authorization: Bearer ${env.NAME}';

/**
 * Signs in to a remote MCP server by OAuth, with the client of the MCP SDK: PKCE, registration of the client where the file names none, and tokens that are
 * stored and renewed. A token is sent to its own server only.
 */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #file: CredentialsFile;
  #challenge: Challenge = {};
  /** The scopes that the last refusal demanded and the token does not have; undefined: none. */
  #missing: string | undefined;
  #token: string | undefined;
  #renewing: Promise<boolean> | undefined;
  #asking: Promise<void> | undefined;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#file = new CredentialsFile(options.home, options.url.href, options.oauth?.clientId);
  }

  /** Texts that no message may contain. */
  get secrets(): string[] {
    const { clientSecret } = this.#options.oauth ?? {};
    return [this.#token, clientSecret].filter((each) => each !== undefined);
  }

  /** The same HTTP with the token in each request to the server. When the token has expired, it is renewed and the request is sent again. */
  over(http: Http): Http {
    return {
      ...http,
      request: async (url, request) => {
        const token = (this.#token ??= (await this.#file.read()).tokens?.access_token);
        const response = await http.request(url, authorized(request, token));
        const challenge = challengeOf(response.headers.get('www-authenticate'));
        if (response.status === 403 && challenge.error === 'insufficient_scope') {
          await response.body?.cancel();
          // Another call has signed in for more scopes meanwhile.
          if (this.#token !== token) return this.#unlessMore(await http.request(url, authorized(request, this.#token)));
          throw this.#wantsMore(challenge);
        }
        if (response.status !== 401) return response;
        this.#challenge = challenge;
        if (!(await this.#renew(token))) return response;
        await response.body?.cancel();
        return this.#unlessMore(await http.request(url, authorized(request, this.#token)));
      },
    };
  }

  /** True where a sign-in may help after this failure. */
  mends({ status }: McpFailure): boolean {
    return status === 401 || (status === 403 && this.#missing !== undefined);
  }

  async #unlessMore(response: Response): Promise<Response> {
    const challenge = challengeOf(response.headers.get('www-authenticate'));
    if (response.status !== 403 || challenge.error !== 'insufficient_scope') return response;
    await response.body?.cancel();
    throw this.#wantsMore(challenge);
  }

  #wantsMore(challenge: Challenge): McpFailure {
    this.#challenge = challenge;
    this.#missing = challenge.scope ?? '';
    const rights = this.#missing === '' ? '' : ` (${this.#missing})`;
    return new McpFailure('refused', `it wants more rights than the sign-in has${rights}`, { status: 403 });
  }

  /** Has the user sign in. Calls that ask meanwhile wait for the same sign-in. @throws SignInFailure, or the reason of the signal */
  ask(signal: AbortSignal): Promise<void> {
    this.#asking ??= this.#asked(signal)
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw new SignInFailure(messageOf(error), { cause: error });
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #asked(signal: AbortSignal): Promise<void> {
    const { askUser, browse, tell, label, oauth } = this.#options;
    if (askUser === undefined) throw new Error(notAtTerminal);
    const { port = 0 } = await this.#file.read();
    const callback = await openCallback(oauth?.callbackPort, port);
    try {
      let address: URL | undefined;
      const flow = this.#flow(callback, (url) => {
        address = url;
      });
      await flow.authorize();
      signal.throwIfAborted();
      if (address === undefined) return;
      const { origin, protocol, href } = address;
      if (protocol !== 'https:' && protocol !== 'http:')
        throw new Error(`its provider has no web page, but ${protocol}`);
      const more = this.#missing === undefined ? '' : `, for more rights${this.#missing && ` (${this.#missing})`}`;
      const answer = await askUser(
        `The MCP server ${label} wants you to sign in at ${origin}${more}. Open it in the browser? [y]es or [n]o`,
        { signal },
      );
      signal.throwIfAborted();
      if (!isYes(answer)) throw new Error('it wants a sign-in, which was declined');
      await browse(href).catch((error: unknown) => tell(`${messageOf(error)}; open it yourself to sign in: ${href}`));
      await flow.authorize(await callback.code(signal));
      this.#missing = undefined;
    } finally {
      callback.close();
    }
  }

  /** True once there is another token than the refused one. */
  #renew(refused: string | undefined): Promise<boolean> {
    if (this.#token !== refused) return Promise.resolve(this.#token !== undefined);
    this.#renewing ??= this.#renewed(refused).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewed(refused: string | undefined): Promise<boolean> {
    const { tokens } = await this.#file.read();
    this.#token = tokens?.access_token;
    if (this.#token !== undefined && this.#token !== refused) return true;
    if (tokens?.refresh_token === undefined) return false;
    try {
      await this.#flow().authorize();
    } catch {
      // A new sign-in repairs any fault of the stored credentials, or reports it.
      return false;
    }
    return true;
  }

  /** The steps of the SDK. Without a callback, only those that need no user. */
  #flow(callback?: CallbackServer, show?: (address: URL) => void): { authorize: (code?: string) => Promise<void> } {
    const { url, oauth } = this.#options;
    const port = callback?.port ?? oauth?.callbackPort ?? 0;
    const redirectUrl = oauth?.callbackRedirectURL?.replaceAll(portPlaceholder, String(port)) ?? loopback(port);
    const state = randomUUID();
    let verifier = '';
    let asked: string | undefined;
    const keep = async (change: (credentials: Credentials) => Credentials): Promise<void> => {
      const credentials = change(await this.#file.read());
      await this.#file.write(credentials);
      this.#token = credentials.tokens?.access_token;
    };
    const provider: Auth.OAuthClientProvider = {
      redirectUrl,
      clientMetadata: {
        client_name: 'turnwire',
        redirect_uris: [redirectUrl],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      state: () => state,
      clientInformation: async () => {
        if (oauth !== undefined)
          return { client_id: oauth.clientId, ...(oauth.clientSecret && { client_secret: oauth.clientSecret }) };
        const known = await this.#file.read();
        // A client that was registered for another port would be redirected to that port.
        return callback === undefined || known.port === port ? known.client : undefined;
      },
      // A renewal would bring the same scopes: for more, the user has to sign in.
      tokens: async () => (this.#missing === undefined ? (await this.#file.read()).tokens : undefined),
      // A provider that names no scope has granted the requested one, or renewed the former one.
      saveTokens: (tokens) =>
        keep((before) => {
          const scope = tokens.scope ?? asked ?? before.tokens?.scope;
          return { ...before, tokens: { ...tokens, ...(scope !== undefined && { scope }) } };
        }),
      saveCodeVerifier: (text) => {
        verifier = text;
      },
      codeVerifier: () => verifier,
      redirectToAuthorization: (address) => {
        if (callback === undefined || show === undefined) throw new SignInNeeded();
        callback.state = state;
        asked = address.searchParams.get('scope') ?? undefined;
        show(address);
      },
      invalidateCredentials: async (what) => {
        if (what === 'tokens') await keep(({ tokens: _refused, ...rest }) => rest);
        else if (what === 'client') await keep(({ tokens }) => (tokens === undefined ? {} : { tokens }));
        else if (what === 'all') await keep(() => ({}));
      },
    };
    // Without a callback there is no address to register a client for.
    if (oauth === undefined && callback !== undefined)
      provider.saveClientInformation = (client) => keep((before) => ({ ...before, client, port }));
    return {
      authorize: async (code) => {
        const { auth } = await loadAuth();
        const { resourceMetadataUrl, scope = '' } = this.#challenge;
        const wanted = oauth?.scopes?.join(' ') ?? scope;
        const http = openHttp();
        try {
          await auth(provider, {
            serverUrl: url,
            fetchFn: http.fetch,
            scope:
              this.#missing === undefined ? wanted : joined((await this.#file.read()).tokens?.scope, wanted, scope),
            ...(code !== undefined && { authorizationCode: code }),
            ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
          });
        } finally {
          http.close();
        }
      },
    };
  }
}

/** The scopes of several texts in one text, each once. */
function joined(...scopes: readonly (string | undefined)[]): string {
  return [...new Set(scopes.flatMap((each) => each?.split(' ') ?? []))].filter((each) => each !== '').join(' ');
}

function loopback(port: number): string {
  return `http://127.0.0.1:${port}/callback`;
}

/** Listens on the port of the file; without one, on the port that the client is registered for, or on a free one. */
async function openCallback(wanted: number | undefined, known: number): Promise<CallbackServer> {
  if (wanted !== undefined)
    return CallbackServer.open(wanted).catch((error: unknown) => {
      throw new Error(`the "callbackPort" ${wanted} cannot be listened on: ${messageOf(error)}`);
    });
  return CallbackServer.open(known).catch(() => CallbackServer.open(0));
}

function authorized(request: HttpRequest, token: string | undefined): HttpRequest {
  if (token === undefined) return request;
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

/** The parameters of a `WWW-Authenticate` header with the scheme Bearer. */
function challengeOf(header: string | null): Challenge {
  const field = (name: string): string | undefined => {
    const [, quoted, bare] = new RegExp(`\\b${name}=(?:"([^"]*)"|([^\\s,]+))`).exec(header ?? '') ?? [];
    return quoted ?? bare;
  };
  const [metadata, scope, error] = [field('resource_metadata'), field('scope'), field('error')];
  return {
    ...(error !== undefined && { error }),
    ...(metadata !== undefined && URL.canParse(metadata) && { resourceMetadataUrl: new URL(metadata) }),
    ...(scope !== undefined && { scope }),
  };
}

/** Loads the part of the MCP project's SDK that scripts/bundle.mjs puts into the package, once a sign-in needs it. */
async function loadAuth(): Promise<Pick<typeof Auth, 'auth'>> {
  const file: string = '../../../../../bundle/mcp-auth.js';
  return (await import(file)) as typeof Auth;
}
