import { spawn } from 'node:child_process';
import type { Variables } from '../commands/command.js';

/** The program of each system that opens an address. It is run without a shell. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** The time in which the program may report a failure, in milliseconds. */
const failureMs = 2000;

/**
 * Opens an address in the user's browser. Resolves once the program was started.
 *
 * @throws Error if there is no program for that, or it fails at once
 */
export async function openInBrowser(address: string, env: Variables): Promise<void> {
  const { href } = new URL(address);
  const [program, ...args] = openers[process.platform] ?? ['xdg-open'];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, [...args, href], { env: { ...env }, stdio: 'ignore', detached: true });
    // The program may be the browser itself, and run as long as the user keeps it open.
    const timer = setTimeout(resolve, failureMs);
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new Error(error.code === 'ENOENT' ? `there is no ${program} here to open ${href} with` : error.message));
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`${program} could not open ${href} (exit code ${code})`));
    });
    child.unref();
  });
}
