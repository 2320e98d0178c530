// Writes the address of the repository into the packages, for a release: `repository`, `homepage` and `bugs` of each manifest, and the links of each README
// that lead out of its package. The address is the field `repository` of the root package.json; without it, nothing is written.
//
//   node scripts/generate/addresses.mjs [FOLDER]    the root of the repository, or of a copy
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');

const { repository } = JSON.parse(read('package.json'));
if (repository === undefined) {
  console.error('The root package.json has no "repository": nothing was written. Set it to https://HOST/OWNER/NAME.');
  process.exit(1);
}
if (typeof repository !== 'string' || !/^https:\/\/[\w.-]+(?:\/[\w.-]+){2}$/.test(repository)) {
  console.error(
    `"repository" of the root package.json must be https://HOST/OWNER/NAME, not ${JSON.stringify(repository)}.`,
  );
  process.exit(1);
}

for (const name of readdirSync(join(root, 'packages'))) {
  const directory = `packages/${name}`;
  const manifest = JSON.parse(read(`${directory}/package.json`));
  const addresses = {
    homepage: `${repository}/tree/main/${directory}#readme`,
    bugs: `${repository}/issues`,
    repository: { type: 'git', url: `git+${repository}.git`, directory },
  };
  const { name: full, version, description, keywords, homepage: _h, bugs: _b, repository: _r, ...rest } = manifest;
  const written = { name: full, version, description, keywords, ...addresses, ...rest };
  writeFileSync(join(root, directory, 'package.json'), `${JSON.stringify(written, null, 2)}\n`);

  const readme = read(`${directory}/README.md`).replaceAll(
    /\]\((\.\.\/[^)]+)\)/g,
    (_, target) => `](${repository}/blob/main/${posix.join(directory, target)})`,
  );
  writeFileSync(join(root, directory, 'README.md'), readme);
  console.log(`Wrote the addresses of ${full}`);
}
