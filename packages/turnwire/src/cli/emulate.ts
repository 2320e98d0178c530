import { readFile } from 'node:fs/promises';
import {
  isPublicAddress,
  ScriptError,
  startEmulator,
  type DialectName,
  type Emulator,
  type EmulatorOptions,
} from '@turnwire/emulator';
import { exitStatus } from './process/exit-status.js';
import { UsageError } from './process/usage-error.js';
import { untilStopped } from './process/signals.js';
import { Printer } from './process/terminal.js';
import type { Io } from './process/io.js';

export interface EmulateOptions {
  port: number;
  host: string;
  allowHost?: readonly string[];
  allowOrigin?: readonly string[];
  tlsCert?: string;
  tlsKey?: string;
  credentials?: EmulatorOptions['credentials'];
  recordings?: string;
  model?: readonly string[];
  dialect: DialectName;
  firstTokenMs?: number;
  tokensPerSecond?: number;
  msPer1000UncachedTokens?: number;
  jitter?: number;
  obfuscation?: boolean;
  clockSpeed?: number;
  faults?: string;
  replay?: string;
  loose?: boolean;
  speed?: number | 'at-once';
  json?: boolean;
  check?: boolean;
  verbose?: boolean;
  control: boolean;
}

const publicAddressWarning =
  'Everybody who reaches this machine can use the emulator and read its content; without --host only this machine can.';

/** `turnwire emulate`: serves until it is stopped, and then exits with status 0. */
export async function emulate(io: Io, script: string | undefined, options: EmulateOptions): Promise<number> {
  const { port, host, recordings, model, dialect, faults, replay, loose, speed, json } = options;
  const { firstTokenMs, tokensPerSecond, msPer1000UncachedTokens, jitter, clockSpeed, obfuscation } = options;
  if (replay === undefined && (loose !== undefined || speed !== undefined))
    throw new UsageError('--loose and --speed say how a recording is replayed: name it with --replay FILE');
  if (options.check && (script ?? faults ?? replay) === undefined)
    throw new UsageError('--check takes something to check: a script, --faults FILE or --replay FILE');
  const starting = startEmulator({
    port: options.check ? 0 : port,
    host,
    allowedHosts: options.allowHost,
    allowedOrigins: options.allowOrigin,
    tls: await tlsOf(options),
    credentials: options.credentials,
    control: options.control,
    log: options.verbose ? (line) => new Printer(io.stderr, io.env).line(line) : undefined,
    script,
    recordings,
    models: model,
    dialect,
    latency: { firstTokenMs, tokensPerSecond, msPer1000UncachedTokens, jitter },
    clock: clockSpeed === undefined ? undefined : { speed: clockSpeed },
    faults,
    obfuscation,
    ...(replay !== undefined && {
      replay: {
        file: replay,
        mode: loose ? 'loose' : 'strict',
        timing: speed,
        onDifference: (difference) => new Printer(io.stderr, io.env).line(difference),
      },
    }),
  });
  if (options.check) return check(io, starting, { json, subject: script ?? faults ?? replay });
  const emulator = await starting;
  // Listens before the address is printed, since a reader of the address may stop the emulator at once.
  const stopped = untilStopped(io);
  const stdout = new Printer(io.stdout, io.env);
  if (json) {
    stdout.line(JSON.stringify({ url: emulator.url, port: emulator.port, pid: process.pid }));
  } else {
    stdout.line(`The Responses API, emulated, at ${stdout.style('bold', emulator.url)}`);
    stdout.line(
      '  for SDKs and tools:  ' + stdout.style('cyan', `export OPENAI_BASE_URL=${emulator.url} OPENAI_API_KEY=any`),
    );
    if (isPublicAddress(host)) stdout.line(`  ${publicAddressWarning}`);
    stdout.line('  Ctrl-C stops it.');
  }
  await Promise.race([stopped, emulator.closed]);
  await emulator.close();
  return exitStatus.ok;
}

/** Says whether an emulator could be started, and, if not, each problem of its script. */
async function check(
  io: Io,
  starting: Promise<Emulator>,
  { json = false, subject = '' }: { json: boolean | undefined; subject: string | undefined },
): Promise<number> {
  try {
    await (await starting).close();
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    const { problems } = error;
    if (json) new Printer(io.stdout, io.env).line(JSON.stringify({ valid: false, problems }));
    else for (const problem of problems) new Printer(io.stderr, io.env).line(problem);
    return exitStatus.usage;
  }
  new Printer(io.stdout, io.env).line(json ? JSON.stringify({ valid: true }) : `${subject} is valid.`);
  return exitStatus.ok;
}

async function tlsOf({ tlsCert, tlsKey }: EmulateOptions): Promise<EmulatorOptions['tls']> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError('--tls-cert and --tls-key go together: TLS takes a certificate and its key');
  return { cert: await pem('--tls-cert', tlsCert), key: await pem('--tls-key', tlsKey) };
}

async function pem(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
