import { Worker } from 'node:worker_threads';
import type { PageTextOptions } from './page-text.js';
import type { PageWork } from './page-worker.js';

/** UTF-16 units of a page that is read at once: less work than to begin a thread. */
const short = 16 * 1024;

/**
 * The text of an HTML page. A long one is read by a thread of its own, which ends with the signal: whatever the page is made of, the event loop goes on.
 *
 * @throws the signal's reason.
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
      // Without effect where it has said what it was for.
      reject(new Error('the thread that reads the page ended before it was done'));
    });
  });
}
