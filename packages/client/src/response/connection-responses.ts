import type { Frame } from '../protocol/frame.js';
import type { ResponseIds } from './response-ids.js';

/** The other responses of a connection, so that their events are not taken for those of this response (F4). */
export interface ConnectionResponses {
  readonly ids: ResponseIds;
  /** Another turn runs on the connection, or an abandoned one is still being drained. */
  readonly othersRun: boolean;
}

const itemId = /"item_id"\s*:\s*"([^"\\]*)"/;

/** The id of the item that a frame belongs to; searched in the text of a frame that is not parsed. */
export function itemIdOf(frame: Frame): unknown {
  if (frame.parsed || frame.type === 'response.output_item.added') {
    const { item_id: id, item } = (frame.eventOrUndefined ?? {}) as {
      item_id?: unknown;
      item?: { id?: unknown } | null;
    };
    return id ?? item?.id;
  }
  return itemId.exec(frame.text)?.[1];
}
