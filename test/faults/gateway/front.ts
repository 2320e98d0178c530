import { startGateway } from '@turnwire/gateway';
import type { ConfigInput, Gateway } from '@turnwire/gateway';

export type FrontConfig = Omit<ConfigInput, 'upstream' | 'listen'> & { upstream?: Partial<ConfigInput['upstream']> };

interface LogLine {
  attempts: number;
}

/** A gateway between clients and a fault server. Its log is the second report of each turn: what the server was asked must fit it. */
export class Front {
  readonly #gateway: Gateway;
  readonly #lines: readonly LogLine[];
  /** Everything that it says. */
  readonly said: readonly string[];

  private constructor(gateway: Gateway, lines: readonly LogLine[], said: readonly string[]) {
    this.#gateway = gateway;
    this.#lines = lines;
    this.said = said;
  }

  static async start(upstream: string, config: FrontConfig = {}): Promise<Front> {
    const said: string[] = [];
    const lines: LogLine[] = [];
    const gateway = await startGateway({
      config: { ...config, listen: { port: 0 }, upstream: { base_url: upstream, ...config.upstream } },
      log: {
        write: (line) => {
          said.push(line);
          lines.push(JSON.parse(line) as LogLine);
        },
      },
      onWarning: (message) => void said.push(message),
    });
    return new Front(gateway, lines, said);
  }

  get url(): string {
    return this.#gateway.url;
  }

  /** The turns that have ended. */
  get turns(): number {
    return this.#lines.length;
  }

  /** How often they were sent up, at most. */
  get attempts(): number {
    return this.#lines.reduce((sum, { attempts }) => sum + attempts, 0);
  }

  destroy(): void {
    this.#gateway.destroy();
  }
}
