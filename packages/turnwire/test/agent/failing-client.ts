import { type Response, TurnwireError } from '@turnwire/client';
import type { AgentEvent } from '../../dist/agent/events.js';
import type { TurnClient } from '../../dist/agent/turn/turn.js';
import type { Model } from '../../dist/config/models/model.js';
import { agent } from './agent.js';
import { scriptedClient, type ScriptedTurn } from './scripted-client.js';

export async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const seen: AgentEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
  } catch {
    // The events say it.
  }
  return seen;
}

export const types = (events: readonly AgentEvent[]): string[] => events.map(({ type }) => type);

export const failure = (
  code: TurnwireError['code'],
  server: Partial<NonNullable<TurnwireError['server']>> = {},
): TurnwireError =>
  new TurnwireError(code, `it failed by ${code}`, {
    server: {
      status: undefined,
      code: undefined,
      type: undefined,
      message: 'no',
      param: undefined,
      headers: {},
      raw: {},
      ...server,
    },
  });

/** A client that fails so many times before each answer. */
export function failing(errors: readonly Error[], turns: ScriptedTurn[]): TurnClient & { tries: number } {
  const inner = scriptedClient(turns);
  const client = {
    tries: 0,
    turn(params: Parameters<TurnClient['turn']>[0], options: { signal: AbortSignal }) {
      const error = errors[client.tries];
      client.tries += 1;
      if (error === undefined) return inner.turn(params, options);
      return {
        async *[Symbol.asyncIterator]() {
          yield { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Half' } as never;
          throw error;
        },
        response: () => Promise.reject<Response>(error),
        report: {} as never,
      };
    },
  };
  return client;
}

export const model = (name: string): Model => ({ ...agent.model, name, model: name });
