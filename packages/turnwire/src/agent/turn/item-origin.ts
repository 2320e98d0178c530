import type { InputItem } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';

/** The maker of an item: a model at an address, without any secret. One maker cannot read what another has encrypted. */
export type ItemOrigin = string;

export function originOf({ provider, baseUrl, model }: Model): ItemOrigin {
  const { origin, pathname } = baseUrl === undefined ? { origin: provider, pathname: '' } : new URL(baseUrl);
  return `${origin}${pathname} ${model}`;
}

/**
 * A history in the form that `maker` can read. Of the items of other makers, texts, calls and their answers stay. Left out are ids, which mean nothing
 * elsewhere, and items that only their maker can read: reasoning, which is encrypted or known by its id alone (D12), and items of a provider's own tools. An
 * item whose maker is unknown stays as it is.
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
