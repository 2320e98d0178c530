import { readEventStream } from '../../probe/event-stream.js';
import { parsed, seconds } from '../../probe/http.js';
import { eventOf, isJson, isTerminal } from '../../probe/turn.js';
import { responseOf, succeeded } from '../probe.js';
import { longTask } from '../../probe/long-task.js';
import { expect, NotApplicable } from '../deviation.js';
import type { RawEvent } from '../../probe/event-stream.js';
import type { HttpAnswer } from '../../probe/http.js';
import type { Probe } from '../probe.js';
import type { Rule } from '../rule.js';

const done = '[DONE]';
/** The time in which a body must end after its terminal event: clients wait for the end before they use the connection again. */
const endWithinMs = 5000;
/** The length from which on the events of a turn can be told apart in time. */
const longTurnMs = 1000;

export const sse: readonly Rule[] = [
  {
    id: 'sse/answers',
    title: 'answers a POST with stream: true by an event stream that ends in response.completed or incomplete',
    certainty: 'documented',
    protocol: ['P22', 'P57'],
    plain: ['sse'],
    run: async (probe) => {
      const { turn, answer } = await probe.tryPlain('SSE');
      expect(answer?.status === 200, `status ${answer?.status ?? 0}; 200 is expected`);
      expect(turn.broken === undefined, turn.broken ?? '');
      expect(succeeded(turn), `the turn ended with ${turn.events.at(-1)?.type ?? 'no event'}`);
    },
  },
  {
    id: 'sse/event-names',
    title: 'names each event in an event line, as its data has it in type',
    certainty: 'documented',
    protocol: ['P22'],
    plain: ['sse'],
    run: async (probe) => {
      for (const { event, data } of await rawEvents(probe)) {
        if (data === done) continue;
        const type = eventOf(parsed(data ?? ''), 0)?.type;
        expect(
          event === type,
          `an event line says ${event ?? 'nothing (it is missing)'}, its data says ${type ?? 'nothing'}`,
        );
      }
    },
  },
  {
    id: 'sse/data',
    title: 'puts one JSON object with a type into the data of each event',
    certainty: 'documented',
    protocol: ['P22', 'P25'],
    plain: ['sse'],
    run: async (probe) => {
      for (const { data, event } of await rawEvents(probe)) {
        if (data === done) continue;
        expect(data !== undefined, `the event ${event ?? ''} has no data`);
        const json = parsed(data);
        expect(isJson(json), `data is no JSON object, at which SDKs throw: ${data.slice(0, 100)}`);
        expect(typeof json['type'] === 'string', `an event has no type: ${data.slice(0, 100)}`);
      }
    },
  },
  {
    id: 'sse/lines',
    title: 'sends lines of event streams only: fields, comments and empty lines',
    certainty: 'specified',
    protocol: ['P26'],
    plain: ['sse'],
    run: async (probe) => {
      const [odd] = (await rawStream(probe)).oddLines;
      expect(
        odd === undefined,
        `a line that no event stream has, and that is passed over: ${odd?.slice(0, 100) ?? ''}`,
      );
    },
  },
  {
    id: 'sse/no-ids',
    title: 'sends no id lines',
    certainty: 'specified',
    protocol: ['P22'],
    plain: ['sse'],
    only: ['openresponses'],
    run: async (probe) => {
      expect(!(await rawEvents(probe)).some(({ hasId }) => hasId), 'an event has an id line');
    },
  },
  {
    id: 'sse/done',
    title: 'sends data: [DONE] at the very end, or not at all; OpenResponses demands it',
    certainty: 'specified',
    protocol: ['P23'],
    plain: ['sse'],
    run: async (probe) => {
      const events = await rawEvents(probe);
      const at = events.findIndex(({ data }) => data === done);
      if (at === -1) {
        expect(probe.profile.name !== 'openresponses', 'the stream does not end with data: [DONE]');
        return;
      }
      expect(at === events.length - 1, 'events follow [DONE], and SDKs do not read them');
    },
  },
  {
    id: 'sse/end',
    title: 'ends the body after the terminal event, within five seconds and as HTTP has it',
    certainty: 'documented',
    protocol: ['P57'],
    plain: ['sse'],
    run: async (probe) => {
      const { turn, answer } = await probe.plain('SSE');
      const end = answer?.end ?? 'cut';
      expect(end === 'complete', `the body did not end as HTTP has it: ${end}`);
      const waited = (answer?.endedAt ?? 0) - (turn.events.find(isTerminal)?.at ?? 0);
      expect(waited < endWithinMs, `the body ended ${seconds(waited)} after the terminal event`);
    },
  },
  {
    id: 'sse/prompt',
    title: 'sends the first event when it is there, not together with the last',
    certainty: 'observed',
    protocol: ['P22'],
    plain: ['sse'],
    turns: 1,
    run: async (probe) => {
      const short = (await probe.plain('SSE')).turn;
      const long = (await probe.stream(probe.create({ input: longTask }))).turn;
      responseOf(long);
      // The first event of a long answer comes as early as that of a short one, unless the stream is held back.
      const usual = (short.events[0]?.at ?? 0) - short.sentAt;
      const first = (long.events[0]?.at ?? 0) - long.sentAt - usual;
      const last = (long.events.find(isTerminal)?.at ?? 0) - long.sentAt - usual;
      if (last < longTurnMs) throw new NotApplicable('the turn was too short to tell');
      expect(
        first < last * 0.8,
        `the first event of a long answer came ${seconds(first)} later than that of a short one, the last ${seconds(last)}: something holds the stream back`,
      );
    },
  },
  {
    id: 'sse/json',
    title: 'answers a POST without stream by the response, as one JSON body',
    certainty: 'documented',
    protocol: ['P22'],
    turns: 1,
    run: async (probe) => {
      expectResponse(await probe.post(probe.create()));
    },
  },
];

/** Expects one response in JSON. @throws Deviation */
export function expectResponse({ status, headers, json }: HttpAnswer): void {
  expect(status === 200, `status ${status}; 200 is expected`);
  const type = headers['content-type'] ?? 'none';
  expect(/^application\/json\b/i.test(type), `content type ${type}; application/json is expected`);
  expect(isJson(json) && json['object'] === 'response', 'the body is no response object');
  expect(
    json['status'] === 'completed' || json['status'] === 'incomplete',
    `the status of the response is ${String(json['status'])}`,
  );
  expect(Array.isArray(json['output']) && json['output'].length > 0, 'the output of the response is empty');
}

async function rawStream(probe: Probe): Promise<ReturnType<typeof readEventStream>> {
  const { answer } = await probe.plain('SSE');
  return readEventStream(answer?.body ?? '', answer?.pieces ?? []);
}

async function rawEvents(probe: Probe): Promise<readonly RawEvent[]> {
  return (await rawStream(probe)).events;
}
