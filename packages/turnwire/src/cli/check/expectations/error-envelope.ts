import { isJson } from '../../probe/turn.js';
import { expect } from '../deviation.js';
import type { HttpAnswer } from '../../probe/http.js';
import type { Json } from '../../probe/turn.js';

/** The `error` of an HTTP answer, with the fields that SDKs read. @throws Deviation */
export function expectEnvelope(json: unknown): Json {
  const error = isJson(json) ? json['error'] : undefined;
  expect(isJson(error), 'the body is not {"error": {…}}');
  const { message, type } = error;
  expect(typeof message === 'string' && message !== '', 'error.message is missing or no text');
  expect(typeof type === 'string' && type !== '', 'error.type is missing or no text');
  for (const field of ['code', 'param'])
    expect(
      field in error && (error[field] === null || typeof error[field] === 'string'),
      `error.${field} must be there, a text or null`,
    );
  return error;
}

/** Expects a refusal over HTTP: a status from 400 to 499, and an error in JSON. @throws Deviation */
export function expectRefusal(answer: HttpAnswer): Json {
  const { status, headers, json } = answer;
  expect(status >= 400 && status < 500, `status ${status}; one of 400 to 499 is expected`);
  const type = headers['content-type'] ?? 'none';
  expect(/^application\/(?:[\w.]+\+)?json\b/i.test(type), `content type ${type}; application/json is expected`);
  return expectEnvelope(json);
}
