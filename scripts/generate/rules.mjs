// Writes into docs/faults.md which tests cite the id of each row. Run it after a test was added, moved or renamed.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { citedIn, read, rules, sources } from '../../dist-test/docs/rules.js';

const page = 'docs/faults.md';
const tests = sources
  .filter((path) => path.endsWith('.test.ts') && !path.startsWith('test/docs/rules'))
  .map((path) => ({ path, ids: citedIn(read(path)) }));

let text = read(page);
for (const { id } of rules.filter((rule) => rule.page === page && rule.untested === undefined)) {
  const links = tests.filter(({ ids }) => ids.has(id)).map(({ path }) => `[${basename(path, '.test.ts')}](../${path})`);
  if (links.length === 0) continue;
  const line = `  - Tests: ${links.join(',\n    ')}\n`;
  const entry = new RegExp(`(\\*\\*${id}\\*\\* [\\s\\S]*?)  - Tests: .*\\n(?: {4}.*\\n)*`);
  text = text.replace(entry, (_, before) => before + line);
}
writeFileSync(join(fileURLToPath(new URL('../..', import.meta.url)), page), text);
