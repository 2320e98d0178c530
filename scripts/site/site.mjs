// The content of the site: the pages of docs/, in which only links to other files of the repository are changed.
import { cpSync, readFileSync, readdirSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBelowCache } from '../install.mjs';
import { chapters } from './chapters.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const docs = join(root, 'docs');

/** Gives the folder of VitePress, and installs it there the first time: only the site needs it. */
export function installVitePress() {
  return installBelowCache('site', ['vitepress@1.6.4']);
}

/** The names of the pages of docs/, without `.md`. README.md is left out, since the site has a front page of its own. */
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
  const unlisted = names.filter((name) => !placed.includes(name));
  if (unlisted.length > 0)
    throw new Error(`docs/${unlisted[0]}.md stands in no chapter: name it in scripts/site/chapters.mjs`);
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

/** The configuration of VitePress. Two braces have a meaning in Vue; `v-pre` keeps those in code as they are. */
function configurationFile() {
  return `
const literal = (md) => {
  const rule = md.renderer.rules.code_inline;
  md.renderer.rules.code_inline = (...args) => rule(...args).replace('<code', '<code v-pre');
};
// The ids of headings are those of GitHub, so that a link leads to the same place in both.
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
    // The build fails for links to missing pages.
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

/** The text of a page. A link to another file of the repository becomes a link to the published repository, or a text while there is none. */
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

/** Changes the text outside of code blocks, and escapes characters outside of code that have a meaning in Vue. */
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
