import { parentPort, workerData } from 'node:worker_threads';
import { pageText, type PageTextOptions } from './page-text.js';

/** The task of this thread. */
export interface PageWork extends PageTextOptions {
  html: string;
}

const { html, ...options } = workerData as PageWork;
parentPort?.postMessage(pageText(html, options));
