import { Worker } from 'node:worker_threads';
import type { PageTextOptions } from './page-text.js';
import type { PageWork } from './page-worker.js';

/** The longest page, in UTF-16 units, that is read in this thread: starting a thread would take longer. */
const short = 16 * 1024;

/**
 * The text of an HTML page. A long page is read in a thread of its own, which ends with the signal, so that no page can block the event loop.
 *
 * @throws the signal's reason
 */
export async function readPage(
  html: string,
  { signal, ...options }: PageTextOptions & { signal: AbortSignal },
): Promise<string> {
  signal.throwIfAborted();
  if (html.length <= short) return (await import('./page-text.js')).pageText(html, options);
  const work: PageWork = { html, ...options };
  const worker = new Worker(new URL('./page-worker.js', import.meta.url), { workerData: work });
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason as Error);
      void worker.terminate();
    };
    signal.addEventListener('abort', leave, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => {
      signal.removeEventListener('abort', leave);
      // Has no effect where the thread has given its result.
      reject(new Error('the thread that reads the page ended before it was done'));
    });
  });
}
