import { isEventType } from './event-types.js';
import { Frame, FrameError } from './frame.js';

/**
 * Reads the data of an event of a stream that names its events in the `event` field.
 *
 * The name becomes the type of an event that has none in its JSON. The data of an `error` may be anything: what is no JSON is its message.
 *
 * @throws FrameError
 */
export function readNamedEvent(data: string, bytes: number, name: string, asText: boolean): Frame {
  const frame = name === 'error' ? readError(data, bytes) : read(data, bytes, asText);
  if (frame.type !== undefined || !isEventType(name)) return frame;
  return Frame.parse(JSON.stringify({ ...frame.event, type: name }));
}

function read(data: string, bytes: number, asText: boolean): Frame {
  return asText ? Frame.peek(data, bytes) : Frame.parse(data, bytes);
}

function readError(data: string, bytes: number): Frame {
  try {
    return Frame.parse(data, bytes);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return Frame.parse(JSON.stringify({ type: 'error', message: messageOf(data) }));
  }
}

/** The text itself; when it is a JSON string, the string's value. */
function messageOf(data: string): string {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'string' ? value : data;
  } catch {
    return data;
  }
}
