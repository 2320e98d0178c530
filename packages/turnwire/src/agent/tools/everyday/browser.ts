import { spawn } from 'node:child_process';
import type { Variables } from '../commands/command.js';

/** How each system opens an address: with its program for that, and never through a shell. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** How long the program may take to say that it cannot, in milliseconds. */
const patience = 2000;

/**
 * Opens an address with what the user has for it. Resolves once that has begun.
 *
 * @throws Error if there is no program for that, or it fails at once.
 */
export async function openInBrowser(address: string, env: Variables): Promise<void> {
  const { href } = new URL(address);
  const [program, ...args] = openers[process.platform] ?? ['xdg-open'];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, [...args, href], { env: { ...env }, stdio: 'ignore', detached: true });
    // A browser may well stay as long as its user.
    const timer = setTimeout(resolve, patience);
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
