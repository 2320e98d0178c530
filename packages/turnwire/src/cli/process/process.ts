// The program behind bin/turnwire.js: runs the command line in this process.
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

// The reader has closed its end, as `turnwire … | head` does: there is nothing left to do, and nobody to report to.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The terminal is gone. SIGHUP comes as well, and ends the running work in good order.
    if (error.code === 'EIO') return;
    process.exit(error.code === 'EPIPE' ? exitStatus.pipe : exitStatus.failed);
  });
}

// Node restores the settings of terminals at its exit, and fails with an assertion (`ResetStdio`) for a terminal that is gone.
const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
process.on('exit', () => {
  for (const descriptor of terminals.filter((each) => !isatty(each))) {
    try {
      closeSync(descriptor);
    } catch {
      // The descriptor was closed before.
    }
  }
});

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    // The descriptor was closed before.
    return false;
  }
}

// Sets the status instead of calling exit(), so that everything written to a pipe still gets out.
process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: Object.assign(process.stdout, { isFile: isFile(1) }),
  stderr: process.stderr,
  onSignal,
});
