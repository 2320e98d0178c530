import { isPublicAddress, startRecorder } from '@turnwire/emulator';
import { exitStatus } from './process/exit-status.js';
import { UsageError } from './process/usage-error.js';
import { untilStopped } from './process/signals.js';
import { Printer } from './process/terminal.js';
import type { Io } from './process/io.js';

export interface RecordOptions {
  to?: string;
  port: number;
  host: string;
  allowHost?: readonly string[];
  allowOrigin?: readonly string[];
  json?: boolean;
}

/** `turnwire record --to FILE -- UPSTREAM`: passes all requests on until it is stopped, and then exits with status 0. */
export async function record(io: Io, upstream: string, options: RecordOptions): Promise<number> {
  const { to, port, host, allowHost, allowOrigin, json } = options;
  if (to === undefined) throw new UsageError('there is no file to write: name one with --to FILE');
  const recorder = await startRecorder({
    upstream,
    file: to,
    port,
    host,
    allowedHosts: allowHost,
    allowedOrigins: allowOrigin,
    onLeftOut: (message) => new Printer(io.stderr, io.env).line(message),
  });
  // Listens before the address is printed, since a reader of the address may stop the recorder at once.
  const stopped = untilStopped(io);
  const stdout = new Printer(io.stdout, io.env);
  if (json) {
    stdout.line(JSON.stringify({ url: recorder.url, port: recorder.port, pid: process.pid }));
  } else {
    stdout.line(`Recording what passes through ${stdout.style('bold', recorder.url)} into ${to}`);
    stdout.line('  for SDKs and tools:  ' + stdout.style('cyan', `export OPENAI_BASE_URL=${recorder.url}`));
    if (isPublicAddress(host))
      stdout.line('  Everybody who reaches this machine reaches the upstream through the recorder.');
    stdout.line('  Prompts and answers are written unchanged, credentials are left out. Ctrl-C stops the recorder.');
  }
  await stopped;
  await recorder.close();
  return exitStatus.ok;
}
