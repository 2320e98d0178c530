import type { Loop } from './loop.js';

const width = 640;
const height = 320;
const left = 60;
const bottom = 40;
const top = 50;
const right = 20;

const colours: Readonly<Record<Loop['transport'], string>> = { sse: '#868e96', websocket: '#0b7285' };
const names: Readonly<Record<Loop['transport'], string>> = { sse: 'SSE', websocket: 'WebSocket' };

/** A chart of the time at which each turn ended since the beginning of its loop; one line for each loop. */
export function chart(loops: readonly Loop[], title: string): string {
  const turns = Math.max(1, ...loops.map(({ endedMs }) => endedMs.length));
  const most = Math.max(1, ...loops.map(({ totalMs }) => totalMs));
  const x = (turn: number): number => left + (turn / turns) * (width - left - right);
  const y = (ms: number): number => height - bottom - (ms / most) * (height - bottom - top);
  const lines = loops.map(({ transport, endedMs }) => {
    const points = [0, ...endedMs].map((ms, turn) => `${x(turn).toFixed(1)},${y(ms).toFixed(1)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colours[transport]}" stroke-width="1.5"/>`;
  });
  const marks = [0, 0.5, 1].map((part) => {
    const at = y(most * part).toFixed(1);
    return (
      `<path d="M${left} ${at}H${width - right}" stroke="#dee2e6"/>` +
      `<text x="${left - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${((most * part) / 1000).toFixed(1)} s</text>`
    );
  });
  const legend = (['sse', 'websocket'] as const).map(
    (transport, index) =>
      `<rect x="${left + index * 110}" y="32" width="12" height="4" fill="${colours[transport]}"/>` +
      `<text x="${left + 18 + index * 110}" y="38">${names[transport]}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#212529">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="20" font-size="14">${escaped(title)}</text>`,
    ...legend,
    ...marks,
    ...lines,
    `<text x="${width - right}" y="${height - 12}" text-anchor="end">${turns} turns</text>`,
    '</svg>\n',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
