import type { Keys } from './keys.js';

/** A client repeats it until the end of a user's turn; so it can lead a balancer to the node that has answered. */
const stickyHeader = 'x-codex-turn-state';

type Headers = Readonly<Record<string, string>>;

/** Longer ones would not fit into a head beside all else. */
const longest = 4096;

/**
 * The gateway's own sticky token: `node.upstream's token in base64url.seal`. The upstream gets back what it has given, whichever node the client meets; a
 * token with another seal is nobody's here, and goes up as it is.
 */
export class StickyTokens {
  readonly #keys: Keys;
  readonly #node: string;

  /** @param node what the balancer calls this node. */
  constructor(keys: Keys, node: string) {
    this.#keys = keys;
    this.#node = node;
  }

  /** Of an answer: with this gateway's token, where the upstream gives one, or the client is one that repeats it. */
  answered(headers: Headers, request: Headers): Headers {
    const given = headers[stickyHeader] ?? '';
    const repeats = Object.keys(request).some((name) => name.startsWith('x-codex-'));
    if (given === '' && !repeats) return headers;
    if (given.length > longest) return headers;
    const text = `${this.#node}.${Buffer.from(given).toString('base64url')}`;
    return { ...headers, [stickyHeader]: `${text}.${this.#keys.mac('sticky', text)}` };
  }

  /** Of a request: with the upstream's own token, or none where it has given none. */
  asked(headers: Headers): Headers {
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
