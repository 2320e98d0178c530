import { part } from '../../probe/turn.js';
import { expect } from '../deviation.js';
import type { Json, Turn, WireEvent } from '../../probe/turn.js';

export interface ErrorFrame {
  frame: Json;
  error: Json;
  status: unknown;
}

/** The error that answers a create, in either of its shapes. @throws Deviation where the create was not refused */
export function expectErrorFrame({ events }: Pick<Turn, 'events'>): ErrorFrame {
  const event = events.find(({ type }) => type === 'error' || type === 'response.failed');
  expect(event !== undefined, `the create was not refused: its answer ends with ${events.at(-1)?.type ?? 'no event'}`);
  return errorOf(event);
}

function errorOf({ type, body }: WireEvent): ErrorFrame {
  if (type === 'response.failed')
    return { frame: body, error: part(part(body, 'response'), 'error'), status: undefined };
  const error = 'error' in body ? part(body, 'error') : body;
  return { frame: body, error, status: body['status'] };
}

/** @throws Deviation where the create was not refused with this code */
export function expectCode(turn: Pick<Turn, 'events'>, code: string, param?: string): ErrorFrame {
  const refused = expectErrorFrame(turn);
  const { error } = refused;
  expect(error['code'] === code, `the code is ${JSON.stringify(error['code'])}; ${code} is expected`);
  expect(
    param === undefined || error['param'] === param,
    `the param is ${JSON.stringify(error['param'])}; ${param ?? ''} is expected`,
  );
  return refused;
}
