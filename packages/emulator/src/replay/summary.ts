import { loadRecording } from './recording.js';

/** What a recording holds, for who replays it. */
export interface RecordingSummary {
  /** When it was begun. */
  readonly started: Date;
  /** How many turns it has of each upstream, by the upstream's name; of the only upstream of a recorder without names: `''`. */
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
