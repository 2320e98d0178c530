// The page as people see it, in Debian's Chromium.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, openBrowser } from '../../browser.js';
import { message, setUp } from '../setup.js';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Setup } from '../setup.js';

let browser: Browser;

/** The page before a gateway with two turns, and everything that its console has complained of. */
async function open(t: TestContext, options: BrowserContextOptions = {}) {
  const setup = await setUp(t, {}, { admin: { port: 0 } });
  const { output } = await ask(setup, 'gpt-5.4', [message('A secret plan.')]);
  await ask(setup, '<img src=x onerror=alert(1)>', [message('A secret plan.'), ...output, message('More.')]);
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (line) => complaints.push(line.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(setup.gateway.adminUrl ?? '');
  await page.waitForSelector('#status[data-state="live"]');
  return { setup, page, complaints, requests };
}

async function ask({ ask: send }: Setup, model: string, input: object[]): Promise<{ output: object[] }> {
  return (await (await send({ model, input })).json()) as { output: object[] };
}

async function textsOf(page: Page, selector: string): Promise<string[]> {
  return page.locator(selector).allInnerTexts();
}

/** Part of the width of the screen that the page needs: 1, unless the whole page scrolls sideways. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth / document.documentElement.clientWidth');
}

/** Presses Tab until an element has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 20; presses += 1) {
    if (await page.evaluate(`document.activeElement.matches('${selector}')`)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${selector} is not reached by Tab`);
}

describe('gateway: the admin page in Chromium', { skip: noBrowser, timeout: 60_000, concurrency: true }, () => {
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());

  test('shows the savings as they change, as text, sends no request elsewhere, and says when the gateway has gone', async (t) => {
    const { setup, page, complaints, requests } = await open(t);
    assert.match(await page.innerText('#saved-figures'), /turns as deltas\s+0 %\s+0 of 2/);
    assert.deepEqual(
      (await textsOf(page, '#reasons tr')).map((row) => row.split('\t').slice(0, 2)),
      [
        ['first_turn', '1'],
        ['fields_changed: model', '1'],
      ],
    );
    const [newest, first] = await textsOf(page, '#turns tr');
    assert.match(newest ?? '', /<img src=x onerror=alert\(1\)>.*fields_changed: model.*completed/s);
    assert.match(first ?? '', /gpt-5\.4.*in full: first_turn/s);
    assert.equal(await page.locator('main img').count(), 0);
    assert.doesNotMatch(await page.innerText('body'), /secret plan|sk-of-a-test/);

    await ask(setup, 'gpt-5.4', [message('Another one.')]);
    await page.waitForSelector('#turns tr:nth-child(3)');
    const { origin } = new URL(page.url());
    assert.deepEqual([complaints, requests.filter((url) => !url.startsWith(origin))], [[], []]);

    await setup.gateway.close();
    await page.waitForSelector('#status[data-state="lost"]');
    assert.match(await page.innerText('#status'), /does not answer/);
  });

  test('works with the keyboard: tables scroll, and updates pause', async (t) => {
    const { setup, page } = await open(t, { viewport: { width: 360, height: 640 } });
    assert.equal(await overflow(page), 1, 'on a narrow screen each table scrolls by itself');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.id'), 'pause');
    assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none');
    await page.keyboard.press('Enter');
    assert.equal(await page.innerText('#status'), 'paused');
    assert.equal(await page.getAttribute('#pause', 'aria-pressed'), 'true');
    const turns = '.table[aria-labelledby="turns-title"]';
    await tabTo(page, turns);
    await page.keyboard.press('ArrowRight');
    // Not with waitForFunction: the policy of the page forbids what that does.
    while ((await page.evaluate(`document.querySelector('${turns}').scrollLeft`)) === 0) await page.waitForTimeout(20);

    await ask(setup, 'gpt-5.4', [message('Another one.')]);
    assert.equal(await page.locator('#turns tr').count(), 2, 'while it rests, nothing changes');
    await page.click('#pause');
    await page.waitForSelector('#turns tr:nth-child(3)');
  });

  test('is readable in light and in dark: each text has a contrast of 4.5 at least', async (t) => {
    const { page } = await open(t);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      assert.equal(luminance(String(ground)) > 0.5, colorScheme === 'light');
      const pairs = (await page.evaluate(coloursOfTexts)) as [text: string, colour: string, ground: string][];
      assert(pairs.length > 30);
      for (const [text, colour, behind] of pairs) {
        const [bright = 0, dim = 0] = [luminance(colour), luminance(behind)].sort((a, b) => b - a);
        const contrast = (bright + 0.05) / (dim + 0.05);
        assert(contrast >= 4.5, `${text}: ${colour} on ${behind} has ${contrast.toFixed(1)}`);
      }
    }
  });
});

/** Each text of the page with its colour, and the one behind it. */
const coloursOfTexts = `[...document.querySelectorAll('body *')].flatMap((element) => {
  const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join('');
  if (text === '') return [];
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  return [[text, getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]];
})`;

/** The relative luminance of WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [...colour.matchAll(/[\d.]+/g)].map(([value]) => {
    const part = Number(value) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
