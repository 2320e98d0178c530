import type { Run } from './runs.js';

const width = 760;
const rowHeight = 56;
const top = 64;
const left = 150;
const right = 190;
const bottom = 50;
/** The seconds for which the picture stands still once all runs are done. */
const rest = 4;

const colours = { full: '#e8590c', delta: '#0b7285' };

/**
 * The runs side by side as an animated SVG. Each turn appears when it ended, in the time that it really took; then the animation begins anew. A viewer that
 * does not animate shows the end.
 */
export function picture(runs: readonly Run[], link: string): string {
  const seconds = Math.max(...runs.map(({ wallMs }) => wallMs)) / 1000;
  const cycle = seconds + rest;
  const x = (ms: number): number => left + (ms / 1000 / seconds) * (width - left - right);
  const height = top + runs.length * rowHeight + bottom;
  const rows = runs.map((run, index) => row(run, top + index * rowHeight, x, cycle));
  const marks = Array.from({ length: Math.floor(seconds) + 1 }, (_, second) => {
    const at = x(second * 1000).toFixed(1);
    return `<text x="${at}" y="${height - bottom + 16}" text-anchor="middle" fill="#868e96">${second} s</text>`;
  });
  const legend =
    `<rect x="${left}" y="${height - 20}" width="12" height="10" fill="${colours.full}"/>` +
    `<text x="${left + 18}" y="${height - 11}">turn with its whole history</text>` +
    `<rect x="${left + 200}" y="${height - 20}" width="12" height="10" fill="${colours.delta}"/>` +
    `<text x="${left + 218}" y="${height - 11}">turn with what is new</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="13" fill="#212529">`,
    `<title>One program, ${runs.map(({ setup }) => escaped(setup.title)).join(' and ')}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#fff"/>`,
    `<text x="20" y="28" font-size="16" font-weight="bold">One program, ${runs[0]?.turns.length ?? 0} turns, the whole history in each</text>`,
    `<text x="20" y="48" fill="#868e96">${escaped(link)}</text>`,
    ...rows,
    ...marks,
    legend,
    '</svg>\n',
  ].join('\n');
}

function row(run: Run, y: number, x: (ms: number) => number, cycle: number): string {
  const turns = run.turns.map(({ beganMs, endedMs, plan }) => {
    const from = x(beganMs);
    const colour = plan === 'delta' ? colours.delta : colours.full;
    return `<rect x="${from.toFixed(1)}" y="${y + 8}" width="${Math.max(1, x(endedMs) - from - 1).toFixed(1)}" height="28" fill="${colour}">${appearing(endedMs, cycle)}</rect>`;
  });
  const end = `${(run.sentBytes / 1000).toFixed(0)} kB sent, ${(run.wallMs / 1000).toFixed(1)} s`;
  return [
    `<text x="${left - 12}" y="${y + 27}" text-anchor="end">${escaped(run.setup.title)}</text>`,
    ...turns,
    `<text x="${(x(run.wallMs) + 8).toFixed(1)}" y="${y + 27}" font-weight="bold">${end}${appearing(run.wallMs, cycle)}</text>`,
  ].join('');
}

/** An animation that shows an element once this many milliseconds of each cycle have passed. */
function appearing(ms: number, cycle: number): string {
  const at = Math.min(0.999, ms / 1000 / cycle).toFixed(4);
  return `<animate attributeName="opacity" calcMode="discrete" values="0;1" keyTimes="0;${at}" dur="${cycle.toFixed(2)}s" repeatCount="indefinite"/>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
