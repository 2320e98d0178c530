// What bin/turnwire.js runs: the command line, in this process.
import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { exitStatus } from './exit-status.js';
import { main } from '../main.js';
import type { Io, Signal } from './io.js';

const signals: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const onSignal: Io['onSignal'] = (listener) => {
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
};

// `turnwire … | head`: when nobody reads any more there is nothing left to do, and nobody to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A terminal that is gone: SIGHUP says so too, and ends what runs in good order.
    if (error.code === 'EIO') return;
    process.exit(error.code === 'EPIPE' ? exitStatus.pipe : exitStatus.failed);
  });
}

// A terminal that is gone cannot be given its settings back; Node would end in an assertion (`ResetStdio`) where it is still open.
const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
process.on('exit', () => {
  for (const descriptor of terminals.filter((each) => !isatty(each))) {
    try {
      closeSync(descriptor);
    } catch {
      // It was closed before.
    }
  }
});

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    // It was closed before.
    return false;
  }
}

// Set and not exited with: what was written to a pipe must still get out.
process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: Object.assign(process.stdout, { isFile: isFile(1) }),
  stderr: process.stderr,
  onSignal,
});
