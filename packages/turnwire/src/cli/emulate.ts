import { startEmulator } from '../emulator/index.js';
import { exitStatus } from './exit-status.js';
import { Printer } from './terminal.js';
import type { Io } from './io.js';

export interface EmulateOptions {
  port: number;
  host: string;
  recordings?: string;
  json?: boolean;
}

/** `turnwire emulate`: serves until it is told to stop, which is its success. */
export async function emulate(
  io: Io,
  script: string | undefined,
  { port, host, recordings, json }: EmulateOptions,
): Promise<number> {
  const emulator = await startEmulator({ port, host, script, recordings });
  const stdout = new Printer(io.stdout, io.env);
  if (json) {
    stdout.line(JSON.stringify({ url: emulator.url, port: emulator.port, pid: process.pid }));
  } else {
    stdout.line(`The Responses API, emulated, at ${stdout.style('bold', emulator.url)}`);
    stdout.line(
      '  for SDKs and tools:  ' + stdout.style('cyan', `export OPENAI_BASE_URL=${emulator.url} OPENAI_API_KEY=any`),
    );
    stdout.line('  Ctrl-C stops it.');
  }
  await new Promise<void>((resolve) => {
    const stop = io.onSignal(() => {
      stop();
      resolve();
    });
  });
  await emulator.close();
  return exitStatus.ok;
}
