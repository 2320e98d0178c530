import type { Item, Response, ResponseEvent, TurnParams, TurnReport } from '@turnwire/client';
import type { TurnClient } from '../../dist/agent/turn/turn.js';

/** The items of a turn's response. Without `events`, an event for each of them and the terminal event follow. */
export interface ScriptedTurn {
  output: Item[];
  events?: ResponseEvent[];
  /** @default 'completed' */
  status?: 'incomplete';
}

/** A client for what no server can be asked to do. Keeps what it was asked. */
export function scriptedClient(turns: ScriptedTurn[]): TurnClient & { asked: TurnParams[] } {
  const asked: TurnParams[] = [];
  return {
    asked,
    turn(params) {
      asked.push(structuredClone(params));
      const scripted = turns[asked.length - 1];
      if (scripted === undefined) throw new Error('the script has no such turn');
      const response: Response = {
        id: `resp_${asked.length}`,
        object: 'response',
        status: scripted.status ?? 'completed',
        model: 'm',
        output: scripted.output,
      };
      return {
        async *[Symbol.asyncIterator]() {
          yield* scripted.events ?? [];
          yield { type: `response.${scripted.status ?? 'completed'}`, response };
        },
        response: () => Promise.resolve(response),
        report,
      };
    },
  };
}

const report: TurnReport = {
  turn: 1,
  transport: 'sse',
  plan: 'full',
  planReason: undefined,
  fallback: undefined,
  phase: 'terminal',
  outcome: 'completed',
  responseId: undefined,
  attempts: [],
  sentBytes: 0,
  firstEventMs: 0,
  totalMs: 0,
  usage: undefined,
};

export const say = (text: string, index = 0): Item => ({
  type: 'message',
  id: `msg_${index}`,
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});

export const call = (id: string, name: string, args: unknown): Item => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: typeof args === 'string' ? args : JSON.stringify(args),
});
