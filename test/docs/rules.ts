import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { root, textOf } from './pages.js';

/** A rule of docs/protocol.md, or a row of docs/faults.md. */
export interface Rule {
  id: string;
  page: string;
  /** The files that its "Tests:" line links to, by their path from the root. */
  tests: string[];
  /** The text of the rule's "No test:" line. */
  untested: string | undefined;
}

const anchor = /<a id="([a-z]\d+)"><\/a>\*\*([A-Z]\d+)\*\*/;

export const rules: readonly Rule[] = ['docs/protocol.md', 'docs/faults.md'].flatMap((page) =>
  textOf(page)
    .split(/^(?=- <a id=)/m)
    .filter((entry) => anchor.test(entry))
    .map((text) => text.split(/^## /m)[0] ?? '')
    .map((text) => ({
      id: anchor.exec(text)?.[2] ?? '',
      page,
      tests: [...text.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\)/g)].map(([, path = '']) => path),
      untested: /^ {2}- No test: ([\s\S]*?)\n(?! {4})/m.exec(text)?.[1],
    })),
);

const citation = /(?<![\w%\\./#-])([A-Z])(\d{1,3})(?:[–-]\1?(\d{1,3}))?(?![\w%-])/g;
const letters = new Set(rules.map(({ id }) => id.charAt(0)));

/** The ids that a text cites, ranges such as "A1–A3" taken apart. */
export function citedIn(text: string): Set<string> {
  const cited = new Set<string>();
  for (const [, letter = '', from, to = from] of text.matchAll(citation))
    if (letters.has(letter))
      for (let number = Number(from); number <= Number(to); number += 1) cited.add(`${letter}${number}`);
  return cited;
}

/** Every file that people write and that may cite a rule, by its path from the root. */
export const sources: readonly string[] = ['packages', 'test', 'docs', 'examples', 'bench', 'scripts', 'findings']
  .flatMap((folder) => filesBelow(folder))
  .concat('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md');

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return /^(?:node_modules|dist|dist-test|bundle|recorded|\..*)$/.test(entry.name) ? [] : filesBelow(path);
    return ['.ts', '.mjs', '.md', '.sh'].includes(extname(entry.name)) ? [path] : [];
  });
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
