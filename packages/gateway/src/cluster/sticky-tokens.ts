import type { Keys } from './keys.js';

/** A client repeats this header until the end of a user's turn, so a balancer can route by it to the node that has answered. */
const stickyHeader = 'x-codex-turn-state';

type Headers = Readonly<Record<string, string>>;

/** The longest token, in characters: the head of a request has no room for more. */
const longest = 4096;

/**
 * Sticky tokens of the gateway: `node.upstream's token in base64url.seal`. Whichever node the client reaches, the upstream gets back the token that it gave.
 * A token without this deployment's seal is passed on unchanged.
 */
export class StickyTokens {
  readonly #keys: Keys;
  readonly #node: string;

  /** @param node the name by which the balancer knows this node. */
  constructor(keys: Keys, node: string) {
    this.#keys = keys;
    this.#node = node;
  }

  /** Headers of an answer, with this gateway's token where the upstream gives one, or where the client is known to repeat it. */
  downstreamHeaders(headers: Headers, request: Headers): Headers {
    const given = headers[stickyHeader] ?? '';
    const repeats = Object.keys(request).some((name) => name.startsWith('x-codex-'));
    if (given === '' && !repeats) return headers;
    if (given.length > longest) return headers;
    const text = `${this.#node}.${Buffer.from(given).toString('base64url')}`;
    return { ...headers, [stickyHeader]: `${text}.${this.#keys.mac('sticky', text)}` };
  }

  /** Headers of a request, with the upstream's own token, or with none where the upstream gave none. */
  upstreamHeaders(headers: Headers): Headers {
    const shown = headers[stickyHeader];
    const at = shown?.lastIndexOf('.') ?? -1;
    if (shown === undefined || at === -1) return headers;
    const text = shown.slice(0, at);
    if (shown.slice(at + 1) !== this.#keys.mac('sticky', text)) return headers;
    const { [stickyHeader]: _, ...rest } = headers;
    const given = Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url').toString();
    return given === '' ? rest : { ...rest, [stickyHeader]: given };
  }
}
