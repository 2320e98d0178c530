import { existsSync } from 'node:fs';
import { chromium as browsers } from 'playwright-core';
import type { Browser } from 'playwright-core';

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** Why a test in a browser is skipped; false where there is one. */
export const noBrowser = path === undefined && 'Chromium is not installed (/usr/bin/chromium)';

/** Debian's Chromium. */
export function openBrowser(): Promise<Browser> {
  return browsers.launch({ executablePath: path ?? '', args: ['--no-sandbox', '--disable-gpu'] });
}
