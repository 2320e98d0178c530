/** Marks around the sections of docs/performance.md and bench/NOTES.md that `npm run bench -- --docs` writes. */
function marksOf(section: string): [begin: string, end: string] {
  return [`<!-- bench:${section} -->`, `<!-- /bench:${section} -->`];
}

/**
 * The page with a section's text replaced.
 *
 * @throws Error if the page has no such section.
 */
export function replaceSection(page: string, section: string, text: string): string {
  const [begin, end] = marksOf(section);
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`the page has no section between ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n${text.trim()}\n${page.slice(to)}`;
}
