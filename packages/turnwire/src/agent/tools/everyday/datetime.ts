import { z } from 'zod';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';

const zone = z
  .string()
  .refine(isZone, 'no name of a time zone, such as Europe/Berlin or UTC')
  .describe('A time zone of the IANA, such as Europe/Berlin. Default: that of this machine.');

/** Returns the date and the time. Those in an agent's prompt are of the beginning of the session. */
export function datetimeToolset(now: () => Date = () => new Date()): OpenToolset {
  return {
    tools: [
      defineTool({
        name: 'current_datetime',
        description: 'Returns the date and the time: ISO 8601, the day of the week, the time zone.',
        readOnly: true,
        input: z.object({ timezone: zone.optional() }),
        run: ({ timezone }) => Promise.resolve(show(now(), timezone)),
      }),
      defineTool({
        name: 'convert_datetime',
        description: 'Returns a moment in another time zone.',
        readOnly: true,
        input: z.object({
          datetime: z.iso
            .datetime({ offset: true })
            .describe('ISO 8601 with Z or an offset: 2026-03-01T12:00:00+01:00.'),
          timezone: zone,
        }),
        run: ({ datetime, timezone }) => Promise.resolve(show(new Date(datetime), timezone)),
      }),
    ],
  };
}

function show(moment: Date, timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone): string {
  const parts = new Map(
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'long',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    })
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
  );
  const offset = (parts.get('timeZoneName') ?? '').replace('GMT', '') || 'Z';
  const date = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
  const time = `${parts.get('hour')}:${parts.get('minute')}:${parts.get('second')}`;
  return `${date}T${time}${offset} (${parts.get('weekday')}, ${timeZone})`;
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
