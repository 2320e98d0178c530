/** A client of the gateway, by its key. */
export interface Principal {
  /** A unique name that contains no key. Everything that is remembered of a principal is kept under it. */
  readonly id: string;
  /** The name for people, used in logs. */
  readonly name: string;
  /** The headers by which the client has identified itself to this gateway. Another node of a cluster is sent the same. */
  readonly received: Readonly<Record<string, string>>;
  /** The headers by which the upstream identifies it, as of the last reading of the configuration. Connections and chains are kept under them. */
  readonly identity: Readonly<Record<string, string>>;
  /** Reads the key that the gateway has for this principal anew, as headers; undefined where the client's own key is passed through. */
  readonly credential?: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  /** The limits and models of the principal; undefined where its own key is passed through, and the upstream decides. */
  readonly policy: Policy | undefined;
}

export interface Policy {
  /** The models it may use, by their names at the upstream; undefined: all. */
  readonly models: ReadonlySet<string> | undefined;
  /** Names of models: from the one that the principal sends to the one that the upstream is sent. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly concurrentTurns: number | undefined;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
}
