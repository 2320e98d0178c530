// What the site is made of: the pages of docs/ as they are, but for links that lead out of them.
import { cpSync, readFileSync, readdirSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBelowCache } from '../install.mjs';
import { chapters } from './chapters.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const docs = join(root, 'docs');

/** Gives the folder that VitePress is in. It is installed there the first time: nothing but the site needs it. */
export function installVitePress() {
  return installBelowCache('site', ['vitepress@1.6.4']);
}

/** The names of the pages of docs/, without `.md`. The page for readers of the repository is none: the site has a front page of its own. */
function pageNames() {
  return readdirSync(docs)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => name.slice(0, -'.md'.length));
}

/**
 * Writes the pages and VitePress's configuration into a folder.
 *
 * @throws Error for a page without a chapter, and for a chapter's page that is not there.
 */
export function writePages(folder) {
  const names = pageNames();
  const placed = chapters.flatMap(({ pages }) => pages);
  const homeless = names.filter((name) => !placed.includes(name));
  if (homeless.length > 0)
    throw new Error(`docs/${homeless[0]}.md stands in no chapter: name it in scripts/site/chapters.mjs`);
  const missing = placed.filter((name, index) => !names.includes(name) || placed.indexOf(name) !== index);
  if (missing.length > 0)
    throw new Error(`scripts/site/chapters.mjs names "${missing[0]}", which docs/ does not have, or names it twice`);

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, '.vitepress'), { recursive: true });
  for (const entry of readdirSync(docs, { withFileTypes: true }))
    if (entry.isDirectory()) cpSync(join(docs, entry.name), join(folder, entry.name), { recursive: true });
  for (const name of names) writeFileSync(join(folder, `${name}.md`), page(name));
  cpSync(join(root, 'scripts', 'site', 'index.md'), join(folder, 'index.md'));
  writeFileSync(join(folder, '.vitepress', 'config.mjs'), configurationFile());
}

/** Two braces are Vue's in a page; `v-pre` leaves those in code alone. */
function configurationFile() {
  return `
const literal = (md) => {
  const rule = md.renderer.rules.code_inline;
  md.renderer.rules.code_inline = (...args) => rule(...args).replace('<code', '<code v-pre');
};
// As GitHub names headings, so that one link leads to the same place in both.
const slugify = (text) => text.trim().toLowerCase().replace(/[^\\p{L}\\p{M}\\p{N}\\p{Pc}\\- ]/gu, '').replaceAll(' ', '-');
export default { ...${JSON.stringify(configuration(), null, 2)}, markdown: { config: literal, anchor: { slugify } } };
`;
}

function configuration() {
  const sidebar = chapters.map(({ title, pages }) => ({
    text: title,
    items: pages.map((name) => ({ text: titleOf(name), link: `/${name}` })),
  }));
  return {
    title: 'turnwire',
    description: 'One warm WebSocket for agents on the Responses API',
    cleanUrls: false,
    // Fails for links to pages that are not there.
    ignoreDeadLinks: false,
    themeConfig: {
      search: { provider: 'local' },
      sidebar,
      outline: [2, 3],
      nav: [
        { text: 'Client', link: '/client' },
        { text: 'fetch', link: '/fetch' },
        { text: 'Gateway', link: '/gateway' },
        { text: 'Agents', link: '/agents' },
        { text: 'Emulator', link: '/emulator' },
      ],
    },
  };
}

function titleOf(name) {
  const [, title = name] = /^# (.+)$/m.exec(readFileSync(join(docs, `${name}.md`), 'utf8')) ?? [];
  return title.replaceAll('`', '');
}

/** A page of docs/. Links to other files of the repository lead to where it is published, or are texts as long as that is nowhere. */
function page(name) {
  const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const text = readFileSync(join(docs, `${name}.md`), 'utf8');
  const published = (target) => {
    if (/^(?:[a-z]+:|#)/.test(target)) return target;
    const path = posix.normalize(posix.join('docs', target));
    if (path.startsWith('docs/')) return target;
    return repository && `${repository}/blob/main/${path}`;
  };
  const definition = /^\[([^\]]+)\]: (\S+)$/;
  const definitions = new Map([...text.matchAll(new RegExp(definition, 'gm'))].map(([, label, to]) => [label, to]));
  return outsideCode(text, (line) => {
    const [, label, to] = definition.exec(line) ?? [];
    if (label !== undefined) return published(to) === undefined ? '' : `[${label}]: ${published(to)}`;
    return line
      .replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (whole, image, words, target) => {
        if (image !== '') return whole;
        return published(target) === undefined ? words : `[${words}](${published(target)})`;
      })
      .replace(/\[([^\]]*)\]\[([^\]]+)\]/g, (whole, words, label) => {
        const target = definitions.get(label);
        return target !== undefined && published(target) === undefined ? words : whole;
      });
  });
}

/** Changes what is not in a block of code, and escapes what Vue would take for its own outside of code. */
function outsideCode(text, change) {
  let inside = false;
  return text
    .split('\n')
    .map((line) => {
      if (/^\s*(?:```|~~~)/.test(line)) {
        inside = !inside;
        return line;
      }
      return inside ? line : change(line).replace(/`[^`]*`|\{\{/g, (part) => (part === '{{' ? '&#123;&#123;' : part));
    })
    .join('\n');
}
