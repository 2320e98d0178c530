import { HeaderRules } from '../../upstream/headers.js';
import { PassThrough } from '../../upstream/pass-through.js';
import { Relays } from '../../upstream/relays.js';
import { Access } from './access.js';
import type { Config } from '../../config/schema.js';
import type { CheckedConfig } from './check.js';
import type { Principals } from './principals.js';

/** Everything that is made of one configuration, and replaced when it changes. */
export class ActiveConfig {
  readonly config: Config;
  readonly principals: Principals;
  readonly access: Access;
  readonly rules: HeaderRules;
  readonly relays: Relays;
  readonly passThrough: PassThrough;
  readonly #onWarning: (message: string) => void;

  constructor(
    { config, principals }: CheckedConfig,
    onWarning: (message: string) => void,
    before?: Pick<ActiveConfig, 'relays' | 'passThrough'>,
  ) {
    const { upstream, limits, listen } = config;
    this.config = config;
    this.principals = principals;
    this.access = Access.forClients(listen);
    this.rules = new HeaderRules(upstream.identity_headers);
    this.relays = before?.relays ?? new Relays({ upstream, limits, onWarning });
    this.passThrough = before?.passThrough ?? new PassThrough(upstream);
    this.#onWarning = onWarning;
  }

  /** Connections are kept when the upstream's settings are the same. */
  changedTo(checked: CheckedConfig): ActiveConfig {
    const isSame =
      JSON.stringify([this.config.upstream, this.config.limits.chain_bytes]) ===
      JSON.stringify([checked.config.upstream, checked.config.limits.chain_bytes]);
    const next = new ActiveConfig(checked, this.#onWarning, isSame ? this : undefined);
    if (!isSame) void this.close();
    return next;
  }

  /** Closes what is left of this configuration; call it once its turns have ended. */
  async close(): Promise<void> {
    await this.relays.close();
    await this.passThrough.close();
  }

  destroy(): void {
    this.relays.destroy();
    void this.passThrough.destroy();
  }
}
