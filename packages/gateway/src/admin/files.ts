import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A file of the page. */
export interface PageFile {
  type: string;
  body: Buffer;
}

const names = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const;

/** The files of the page by their paths. The package has them beside its bundle. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@turnwire/gateway/package.json')), 'page');
  return new Map(names.map(([path, name, type]) => [path, { type, body: readFileSync(join(folder, name)) }]));
}
