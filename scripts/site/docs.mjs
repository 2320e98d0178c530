// `npm run docs` builds the site from docs/ into site/; `npm run docs -- --serve` also serves it. VitePress is installed below .cache/ the first time.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installVitePress, writePages } from './site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = installVitePress();
const pages = join(folder, 'pages');
writePages(pages);
vitepress('build', '--outDir', join(root, 'site'));
console.log('The site is in site/. See it with: npm run docs -- --serve');
if (process.argv.includes('--serve')) vitepress('preview', '--outDir', join(root, 'site'));

function vitepress(verb, ...options) {
  const bin = join(folder, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
  const { status } = spawnSync(process.execPath, [bin, verb, pages, ...options], { cwd: folder, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
