import type { Frame } from '../protocol/frame.js';
import type { ResponseIds } from './response-ids.js';

/** What is known of the other responses of a connection, so that an event of theirs is not taken for one of this response (F4). */
export interface ConnectionResponses {
  readonly ids: ResponseIds;
  /** Another turn runs on the connection, or one that was given up still sends. */
  readonly othersRun: boolean;
}

const itemId = /"item_id"\s*:\s*"([^"\\]*)"/;

/** The id of the item that a frame is a piece of; of one that nobody has parsed it is looked for in the text. */
export function itemIdOf(frame: Frame): unknown {
  if (frame.parsed || frame.type === 'response.output_item.added') {
    const { item_id: id, item } = (frame.eventOrUndefined ?? {}) as {
      item_id?: unknown;
      item?: { id?: unknown } | null;
    };
    return id ?? item?.id;
  }
  const { raw } = frame;
  return itemId.exec(typeof raw === 'string' ? raw : raw.prefix)?.[1];
}
