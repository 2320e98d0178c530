import { z } from 'zod';
import { Context } from '../memory/context.js';
import { compilePattern } from '../base/pattern.js';
import { isItem, isRecord } from '../wire/wire.js';
import { faultInput, parseFault, type Fault } from './fault.js';
import { messageOf } from '../base/thrown.js';

const pattern = z
  .string()
  .min(1)
  .superRefine((value, context) => {
    try {
      compilePattern(value);
    } catch (error) {
      const why = messageOf(error);
      context.addIssue({ code: 'custom', message: `this is not a regular expression (${why})` });
    }
  });

/** The schema of `FaultRule`. */
export const ruleSchema = z
  .strictObject({
    on: z
      .strictObject({
        turn: z.int().positive().optional(),
        connection: z.int().positive().optional(),
        transport: z.enum(['websocket', 'sse', 'json']).optional(),
        model: pattern.optional(),
        input: pattern.optional(),
        times: z.int().positive().optional(),
      })
      .default({}),
    do: faultInput,
  })
  .superRefine(({ on, do: input }, context) => {
    const fault = valueOrUndefined(() => parseFault(input));
    if (fault?.fault === 'no-pong' && on.transport !== undefined && on.transport !== 'websocket') {
      const message = 'the fault "no-pong" leaves pings unanswered, and HTTP has none; leave out "on.transport"';
      context.addIssue({ code: 'custom', path: ['on', 'transport'], message });
    }
    const unknown = (['turn', 'model', 'input'] as const).find((name) => on[name] !== undefined);
    if (fault === undefined || !strikesBeforeTurn(fault) || unknown === undefined) return;
    const message = `"on.${unknown}" cannot be known yet when the fault "${fault.fault}" strikes; use on.connection, on.transport or on.times`;
    context.addIssue({ code: 'custom', path: ['on', unknown], message });
  });

export const faultRules = z.array(ruleSchema);

export type CheckedFaultRule = z.output<typeof ruleSchema>;

/** True for a fault that strikes a connection before there is a turn. */
export function strikesBeforeTurn(fault: Fault): boolean {
  if (fault.fault === 'refuse' || fault.fault === 'connect-rate') return true;
  return 'after' in fault && (fault.after === 'request' || fault.after === 'open');
}

/** What is known of a connection or a turn when its faults are chosen. `http` is a POST whose body was not read yet. */
export interface FaultCandidate {
  readonly connection: number;
  readonly transport: 'websocket' | 'sse' | 'json' | 'http';
  readonly turn?: number;
  readonly body?: unknown;
}

/** The fault rules of an emulator, and how many times each may still strike. */
export class Faults {
  #rules: readonly { readonly on: CheckedFaultRule['on']; readonly fault: Fault; left: number }[] = [];

  constructor(rules: readonly CheckedFaultRule[]) {
    this.replace(rules);
  }

  /** Replaces all rules. The new ones have not struck yet. */
  replace(rules: readonly CheckedFaultRule[]): void {
    this.#rules = rules.map((rule) => ({ on: rule.on, fault: parseFault(rule.do), left: rule.on.times ?? Infinity }));
  }

  /** Chooses the faults of an upgrade, or of a POST whose body was not read yet. */
  beforeTurn(occasion: FaultCandidate): readonly Fault[] {
    return this.#choose(occasion, true);
  }

  duringTurn(occasion: FaultCandidate): readonly Fault[] {
    return this.#choose(occasion, false);
  }

  #choose(occasion: FaultCandidate, connection: boolean): readonly Fault[] {
    if (this.#rules.length === 0) return [];
    const chosen = this.#rules.filter(
      ({ on, fault, left }) =>
        left > 0 &&
        strikesBeforeTurn(fault) === connection &&
        // These two faults are about sockets: a POST opens none, and has no pings.
        (occasion.transport === 'websocket' || !['connect-rate', 'no-pong'].includes(fault.fault)) &&
        isMatch(on, occasion),
    );
    for (const rule of chosen) rule.left -= 1;
    return chosen.map(({ fault }) => fault);
  }
}

function isMatch(on: CheckedFaultRule['on'], { connection, transport, turn, body }: FaultCandidate): boolean {
  if (on.connection !== undefined && on.connection !== connection) return false;
  // A POST whose body was not read yet may ask for SSE or for JSON.
  if (
    on.transport !== undefined &&
    on.transport !== transport &&
    !(transport === 'http' && on.transport !== 'websocket')
  ) {
    return false;
  }
  if (on.turn !== undefined && on.turn !== turn) return false;
  const { model, input } = isRecord(body) ? body : {};
  if (on.model !== undefined && !(typeof model === 'string' && compilePattern(on.model)(model))) return false;
  return on.input === undefined || compilePattern(on.input)(inputText(input));
}

function inputText(input: unknown): string {
  if (typeof input === 'string') return input;
  return Array.isArray(input) ? Context.of(input.filter(isItem)).unansweredText : '';
}

function valueOrUndefined<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
