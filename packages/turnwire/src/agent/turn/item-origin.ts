import type { InputItem } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';

/** Who makes items: a model at an address, without anything of it that may be secret. What two makers seal, neither can open of the other. */
export type ItemOrigin = string;

export function originOf({ provider, baseUrl, model }: Model): ItemOrigin {
  const { origin, pathname } = baseUrl === undefined ? { origin: provider, pathname: '' } : new URL(baseUrl);
  return `${origin}${pathname} ${model}`;
}

/**
 * A history as `maker` can take it. Of what others have made, the words, the calls and their answers stay. Left out are the ids, which stand for
 * nothing elsewhere, and what only its maker can read: reasoning, which is sealed or known by its id alone (D12), and items of its own tools.
 * An item of which nobody knows who made it stays as it is.
 */
export function readableBy(
  maker: ItemOrigin,
  items: readonly InputItem[],
  madeBy: (item: InputItem) => ItemOrigin | undefined,
): readonly InputItem[] {
  return items.flatMap((item) => {
    const by = madeBy(item);
    return by === undefined || by === maker ? [item] : plain(item);
  });
}

function plain(item: InputItem): InputItem[] {
  switch (item.type) {
    case 'message':
      return [{ type: 'message', role: item.role, content: item.content }];
    case 'function_call':
      return [{ type: item.type, call_id: item.call_id, name: item.name, arguments: item.arguments }];
    case 'custom_tool_call':
      return [{ type: item.type, call_id: item.call_id, name: item.name, input: item.input }];
    default:
      return [];
  }
}
