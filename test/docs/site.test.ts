import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { noBrowser, openBrowser } from '../browser.js';
import { root } from './pages.js';
import type { AddressInfo } from 'node:net';

interface Chapter {
  title: string;
  pages: readonly string[];
}

const { chapters } = (await import(pathToFileURL(join(root, 'scripts', 'site', 'chapters.mjs')).href)) as {
  chapters: readonly Chapter[];
};
const { writePages } = (await import(pathToFileURL(join(root, 'scripts', 'site', 'site.mjs')).href)) as {
  writePages: (folder: string) => void;
};

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-site-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('the site', () => {
  test('has each page of docs/ in one chapter, and no link out of the site', (t) => {
    const folder = temporary(t);
    writePages(folder);
    const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));
    const expected = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
    assert.deepEqual(pages, [...expected, 'index.md'].sort());
    for (const name of pages) assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /\]\(\.\.\//, name);
  });

  test('has the chapters of docs/README.md, each with the same pages in the same order', () => {
    const [, list = ''] = readFileSync(join(root, 'docs', 'README.md'), 'utf8').split(
      '## Every page, chapter by chapter',
    );
    const sections = (list.split('\n## ', 1)[0] ?? '').split('\n### ').slice(1);
    const listed = sections.map((section) => ({
      title: section.split('\n', 1)[0],
      pages: [...section.matchAll(/^\| \[[^\]]+\]\(([\w-]+)\.md\)/gm)].map(([, page]) => page),
    }));
    assert.deepEqual(listed, chapters);
  });

  test('can be read and searched in a browser, and read on a narrow screen', { timeout: 300_000 }, async (t) => {
    if (!existsSync(join(root, '.cache', 'site', 'node_modules')))
      return t.skip('npm run test:extra installs what this needs');
    if (noBrowser) return t.skip(noBrowser);
    const built = spawnSync(process.execPath, [join(root, 'scripts', 'site', 'docs.mjs')], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    const url = await serveFolder(t, join(root, 'site'));

    const browser = await openBrowser();
    t.after(() => browser.close());
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`${url}/index.html`);
    await page.click('text=Start with the SDK you use');
    await page.waitForSelector('h1:has-text("A fetch for the SDKs you use")');
    await page.click('.VPSidebar a:has-text("Glossary")');
    await page.waitForSelector('h1:has-text("Glossary")');
    await page.click('button.DocSearch-Button');
    await page.fill('.VPLocalSearchBox input', 'retry-after');
    await page.waitForSelector('.VPLocalSearchBox .result');
    await page.setViewportSize({ width: 360, height: 740 });
    for (const name of readdirSync(join(root, 'site')).filter((file) => file.endsWith('.html'))) {
      await page.goto(`${url}/${name}`);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      assert(Number(width) <= 360, `${name} is ${String(width)} pixels wide on a screen of 360`);
    }
    assert.deepEqual(errors, []);
  });
});

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

async function serveFolder(t: TestContext, folder: string): Promise<string> {
  const server = createServer((request, response) => {
    const file = join(folder, new URL(request.url ?? '/', 'http://site').pathname);
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
