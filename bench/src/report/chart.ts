import { clientOf } from '../client/clients.js';
import { summarize } from './statistics.js';
import { number } from './table.js';
import type { Result } from '../suite.js';
import type { Workload } from '../workloads.js';

const width = 760;
const rowHeight = 24;
const labelWidth = 310;
const valueWidth = 90;
const top = 40;

/** The first metric of a workload as horizontal bars with the range of the rounds; undefined where nothing was measured. */
export function chart(workload: Workload, { rows }: Result): string | undefined {
  const [metric] = workload.metrics;
  if (metric === undefined) return undefined;
  const bars = rows.flatMap(({ client, metrics }) => {
    const summary = summarize(metrics[metric.name] ?? []);
    // The rate of the server alone would make no sense beside those of clients.
    return summary === undefined || client === 'sink' ? [] : [{ client: clientOf(client), summary }];
  });
  if (bars.length === 0) return undefined;
  const most = Math.max(...bars.map(({ summary }) => summary.median), Number.MIN_VALUE);
  const scale = (value: number): number =>
    (Math.min(Math.max(value, 0), most) / most) * (width - labelWidth - valueWidth);
  const lines = bars.map(({ client, summary }, index) => {
    const y = top + index * rowHeight;
    const ours = client.file === 'turnwire' || client.id.endsWith('-fetch');
    const from = labelWidth + scale(summary.min);
    const to = labelWidth + scale(summary.max);
    return [
      `<text x="${labelWidth - 8}" y="${y + 15}" text-anchor="end">${escaped(client.title)}</text>`,
      `<rect x="${labelWidth}" y="${y + 4}" width="${scale(summary.median).toFixed(1)}" height="14" fill="${ours ? '#0b7285' : '#adb5bd'}"/>`,
      `<path d="M${from.toFixed(1)} ${y + 11}H${to.toFixed(1)}" stroke="#495057"/>`,
      `<text x="${(labelWidth + scale(summary.median) + 6).toFixed(1)}" y="${y + 15}">${number(summary.median, metric.digits)}</text>`,
    ].join('');
  });
  const height = top + bars.length * rowHeight + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="12" fill="#212529">`,
    `<title>${escaped(`${workload.title}: ${metric.title}`)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="22" font-size="14" font-weight="bold">${escaped(`${metric.title}, ${workload.title}`)}</text>`,
    ...lines,
    '</svg>\n',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
