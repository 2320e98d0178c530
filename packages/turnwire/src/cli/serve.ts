import { exitStatus } from './process/exit-status.js';
import { describeFailure } from './process/failure.js';
import { loadGateway } from './gateway-package.js';
import { secretsOf } from './options/secrets.js';
import { Printer } from './process/terminal.js';
import { UsageError } from './process/usage-error.js';
import type { Gateway, GatewayOptions, GatewaySettings } from './gateway-package.js';
import type { Io } from './process/io.js';

export interface ServeOptions {
  upstream?: string;
  config?: string;
  port?: number;
  host?: string;
  open?: boolean;
  allowHost?: string[];
  allowOrigin?: string[];
  transport?: 'auto' | 'websocket' | 'sse';
  adminPort?: number;
  adminHost?: string;
  adminOpen?: boolean;
  drainMs?: number;
  envFromFile?: readonly string[];
  check?: boolean;
  json?: boolean;
}

/** `turnwire serve`: serves until it is stopped, and then exits with status 0. */
export async function serve(io: Io, options: ServeOptions): Promise<number> {
  const { upstream, config: file, check, json } = options;
  if ((upstream === undefined) === (file === undefined))
    throw new UsageError(
      'name the upstream: --upstream https://api.openai.com/v1, or a configuration with --config gateway.yaml',
    );
  if (file !== undefined && options.transport !== undefined)
    throw new UsageError('--transport goes with --upstream; in a configuration it is upstream.transport');
  const gatewayPackage = await loadGateway();
  const stdout = new Printer(io.stdout, io.env);
  const stderr = new Printer(io.stderr, io.env);
  const secrets = secretsOf(io, options.envFromFile);
  const given: GatewayOptions = {
    config: file ?? configOf(options),
    overrides: file === undefined ? {} : overridesOf(options),
    secret: async (name: string) => (await secrets.get(name))?.value,
    onWarning: (message: string) => stderr.line(message),
    log: { write: (line) => io.stdout.write(line) },
  };
  if (check === true) {
    await gatewayPackage.checkConfig(given);
    stdout.line(json === true ? JSON.stringify({ valid: true }) : `${file ?? 'The configuration'} is valid.`);
    return exitStatus.ok;
  }
  gatewayPackage.limitHeapGrowth();
  const gateway = await gatewayPackage.startGateway(given);
  const stopped = untilDrained(io, gateway, (line) => stderr.line(line));
  const { url, port, adminUrl } = gateway;
  if (json === true)
    stdout.line(
      JSON.stringify({ url, port, pid: process.pid, ...(adminUrl !== undefined && { admin_url: adminUrl }) }),
    );
  else {
    stdout.line(`The Responses API of ${gateway.upstream} at ${stdout.style('bold', url)}`);
    stdout.line('  for SDKs and tools:  ' + stdout.style('cyan', `export OPENAI_BASE_URL=${url}`));
    if (adminUrl !== undefined) stdout.line('  what is saved:       ' + stdout.style('cyan', adminUrl));
    stdout.line('  Ctrl-C lets running turns end, and a second one does not.');
  }
  await stopped;
  return exitStatus.ok;
}

/** The first signal drains the gateway, a second one ends it. SIGHUP reads the configuration anew. */
function untilDrained(io: Io, gateway: Gateway, tell: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let isDraining = false;
    const stop = io.onSignal((signal) => {
      if (signal === 'SIGHUP') return void reload(gateway, tell);
      if (isDraining) return gateway.destroy();
      isDraining = true;
      gateway.close().finally(stop).then(resolve, reject);
    });
  });
}

/** Reads the configuration anew. Never rejects: a mistake is reported, and the former configuration stays in force. */
async function reload(gateway: Gateway, tell: (line: string) => void): Promise<void> {
  try {
    await gateway.reload();
    tell('turnwire: the new configuration is in force');
  } catch (error) {
    const { text } = describeFailure(error, false);
    tell(`turnwire: the former configuration stays in force, because the new one is wrong:\n${text}`);
  }
}

function configOf(options: ServeOptions): GatewayOptions['config'] {
  const { upstream = '', transport } = options;
  return {
    upstream: { base_url: upstream, ...(transport !== undefined && { transport }) },
    ...overridesOf(options),
  };
}

/** The options of the command line that replace settings of the file. */
function overridesOf(options: ServeOptions): GatewaySettings {
  const { port, host, open, allowHost, allowOrigin, adminPort, adminHost, adminOpen, drainMs } = options;
  const listen = {
    ...(port !== undefined && { port }),
    ...(host !== undefined && { host }),
    ...(open !== undefined && { open }),
    ...(allowHost !== undefined && { allowed_hosts: allowHost }),
    ...(allowOrigin !== undefined && { allowed_origins: allowOrigin }),
  };
  const admin = {
    ...(adminPort !== undefined && { port: adminPort }),
    ...(adminHost !== undefined && { host: adminHost }),
    ...(adminOpen !== undefined && { open: adminOpen }),
  };
  return {
    ...(Object.keys(listen).length > 0 && { listen }),
    ...(Object.keys(admin).length > 0 && { admin }),
    ...(drainMs !== undefined && { drain_ms: drainMs }),
  };
}
