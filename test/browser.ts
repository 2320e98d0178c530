import { existsSync } from 'node:fs';
import { chromium as browsers } from 'playwright-core';
import type { TestContext } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';

/** Debian's Chromium; undefined where it is not installed. */
export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** A page of a browser of its own, which ends with the test. */
export async function openPage(
  t: TestContext,
  executablePath: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const browser = await browsers.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  t.after(() => browser.close());
  return (await browser.newContext(options)).newPage();
}
