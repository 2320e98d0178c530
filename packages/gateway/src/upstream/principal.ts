/** Who asks, as everything behind the door knows it. */
export interface Principal {
  /** Tells one from the other; holds no key. What is remembered of a principal is kept under it. */
  readonly id: string;
  /** For people: in logs. */
  readonly name: string;
  /** The headers by which it has made itself known to this gateway: another node of a cluster knows it by them, too. */
  readonly received: Readonly<Record<string, string>>;
  /** The headers by which the upstream knows it, as of the last reading of the configuration. What belongs together is kept under them. */
  readonly identity: Readonly<Record<string, string>>;
  /** The headers of the key that the gateway has for it, asked of their source anew; undefined where its own key is passed through. */
  readonly credential?: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  /** What it may do; undefined where its own key is passed through, and the upstream decides. */
  readonly policy: Policy | undefined;
}

export interface Policy {
  /** The models it may use, by their names at the upstream; undefined: all. */
  readonly models: ReadonlySet<string> | undefined;
  /** What it asks for, and what the upstream is asked for. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly concurrentTurns: number | undefined;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
}
