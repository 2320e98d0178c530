import { loadRecording } from './recording.js';

/** What a recording contains. */
export interface RecordingSummary {
  /** When the recording began. */
  readonly started: Date;
  /** The number of turns of each upstream, by the upstream's name. A recording without names has one entry, `''`. */
  readonly turns: ReadonlyMap<string, number>;
}

/** See `start.ts`. */
export async function summarizeRecording(file: string): Promise<RecordingSummary> {
  const { header } = await loadRecording(file);
  const turns = new Map<string, number>();
  for (const upstream of 'upstreams' in header ? Object.keys(header.upstreams) : [undefined]) {
    const { exchanges, sockets } = await loadRecording(file, upstream);
    const posted = exchanges.filter(({ method, path }) => method === 'POST' && path.startsWith('/responses'));
    turns.set(upstream ?? '', posted.length + sockets.flatMap(({ lanes }) => [...lanes.values()].flat()).length);
  }
  return { started: new Date(header.started), turns };
}
