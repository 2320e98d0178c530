import type { InputItem, TurnParams } from '@turnwire/client';
import type { CarriedTurn, TurnClient } from '../../agent/turn.js';

/**
 * Continues each response by its id, with only what is new since then: the most that can be had of SSE. For one conversation whose history
 * only grows, and whose responses the server stores.
 */
export function chainedById(client: TurnClient): TurnClient {
  let last: { id: string; known: number } | undefined;
  return {
    turn(params, options) {
      const input = inputOf(params);
      const turn = client.turn(
        last === undefined ? params : { ...params, input: input.slice(last.known), previous_response_id: last.id },
        options,
      );
      return {
        [Symbol.asyncIterator]: () => turn[Symbol.asyncIterator](),
        async response() {
          const response = await turn.response();
          last = { id: response.id, known: input.length + response.output.length };
          return response;
        },
        get report() {
          return turn.report;
        },
      } satisfies CarriedTurn;
    },
  };
}

function inputOf({ input = [] }: TurnParams): readonly InputItem[] {
  return typeof input === 'string' ? [{ role: 'user', content: input }] : (input as readonly InputItem[]);
}
