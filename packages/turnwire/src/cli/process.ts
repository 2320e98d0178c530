// What bin/turnwire.js runs: the command line, in this process.
import { exitStatus } from './exit-status.js';
import { main } from './main.js';
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
    process.exit(error.code === 'EPIPE' ? exitStatus.pipe : exitStatus.failed);
  });
}

// Set and not exited with: what was written to a pipe must still get out.
process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal,
});
