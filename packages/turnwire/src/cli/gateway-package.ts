import { UsageError } from './process/usage-error.js';

/** The part of `@turnwire/gateway` that `turnwire serve` uses. The package's own types are not imported: turnwire is built and installed without it. */
export interface GatewayPackage {
  checkConfig(options: GatewayOptions): Promise<unknown>;
  /** For a process that does nothing but serve. */
  limitHeapGrowth(): void;
  startGateway(options: GatewayOptions): Promise<Gateway>;
}

/** The settings of a command line, under their names in `gateway.yaml`. */
export interface GatewaySettings {
  listen?: { port?: number; host?: string; open?: boolean; allowed_hosts?: string[]; allowed_origins?: string[] };
  admin?: { port?: number; host?: string; open?: boolean };
  drain_ms?: number;
}

export interface GatewayOptions {
  config: string | (GatewaySettings & { upstream: { base_url: string; transport?: 'auto' | 'websocket' | 'sse' } });
  overrides?: GatewaySettings;
  secret?: (name: string) => Promise<string | undefined>;
  onWarning?: (message: string) => void;
  log?: { write: (line: string) => unknown };
}

export interface Gateway {
  readonly url: string;
  readonly port: number;
  readonly adminUrl: string | undefined;
  readonly upstream: string;
  reload(): Promise<void>;
  close(): Promise<void>;
  destroy(): void;
}

/** Loads the package of the gateway, which is not installed by default: most users who run agents serve nothing. */
export async function loadGateway(): Promise<GatewayPackage> {
  const name: string = '@turnwire/gateway';
  try {
    return (await import(name)) as GatewayPackage;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error;
    throw new UsageError(`turnwire serve needs a package of its own: run "npm install ${name}" beside turnwire`, {
      cause: error,
    });
  }
}
