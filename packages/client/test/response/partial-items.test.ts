// Q4: items of whatever kind out of their pieces, the last resort where neither a finished item nor the end of the response has them (P59).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Frame } from '../../dist/protocol/frame.js';
import { Secrets } from '../../dist/protocol/errors/secrets.js';
import { Steering } from '../../dist/response/steering.js';
import { ResponseTracker } from '../../dist/response/tracker.js';
import { textOf } from '../../dist/response/output-items.js';
import type { Response } from '../../dist/protocol/response.js';

type Json = Record<string, unknown>;

const created = { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } };
const completed = (output?: unknown, status = 'completed'): Json => ({
  type: `response.${status}`,
  response: { id: 'resp_1', status, ...(output === undefined ? {} : { output }) },
});

function track(events: readonly Json[], asText: boolean): ResponseTracker {
  const tracker = new ResponseTracker(new Secrets(), new Steering());
  for (const event of events) {
    const text = JSON.stringify(event);
    const verdict = tracker.read(asText ? Frame.peek(text) : Frame.parse(text));
    assert.ok(verdict.name === 'pass' || verdict.name === 'end', `${verdict.name} at ${text}`);
  }
  return tracker;
}

/** What the response comes to, whether its events were parsed as they came or stayed text. */
function resultOf(pieces: readonly Json[], end: Json = completed([])): Response {
  const [parsed, asText] = [false, true].map((text) => track([created, ...pieces, end], text).result);
  assert.deepEqual(parsed, asText);
  return parsed as Response;
}

const at = (index: number, id = `item_of_${index}`): Json => ({ output_index: index, item_id: id });
const inContent = (index: number, part = 0): Json => ({ ...at(index), content_index: part });
const added = (index: number, item: Json): Json => ({ type: 'response.output_item.added', output_index: index, item });
const piece = (type: string, where: Json, fields: Json): Json => ({ type: `response.${type}`, ...where, ...fields });
const text = (value: string, where = inContent(0)): Json => piece('output_text.delta', where, { delta: value });

const without = (name: string, fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name));

const message = (id: string, content: Json[]): Json => ({
  role: 'assistant',
  content,
  id,
  type: 'message',
  status: 'completed',
});
const said = (value: string): Json => ({ type: 'output_text', text: value, annotations: [] });
const shellOutput = (stdout: string, stderr: string, code: number): Json => ({
  stdout,
  stderr,
  outcome: { type: 'exit', exit_code: code },
});
const citation = { type: 'url_citation', url: 'https://example.com' };

const kinds: Record<string, { pieces: Json[]; items: Json[] }> = {
  'text alone': {
    pieces: [text('The answer '), text('is 42.')],
    items: [message('item_of_0', [said('The answer is 42.')])],
  },
  'text whose last word is all there is': {
    pieces: [piece('output_text.done', inContent(0), { text: 'All of it.' })],
    items: [message('item_of_0', [said('All of it.')])],
  },
  'text whose last word is empty': {
    pieces: [text('Still there.'), piece('output_text.done', inContent(0), { text: '' })],
    items: [message('item_of_0', [said('Still there.')])],
  },
  'text with its parts and citations': {
    pieces: [
      added(0, { id: 'msg_a', type: 'message', role: 'assistant', status: 'in_progress', content: [] }),
      piece('content_part.added', inContent(0), { part: { type: 'output_text', text: '', annotations: [] } }),
      text('One'),
      piece('output_text.annotation.added', inContent(0), { annotation_index: 0, annotation: citation }),
      text('Two', inContent(0, 1)),
      text(' more', inContent(0, 1)),
    ],
    items: [message('msg_a', [{ ...said('One'), annotations: [citation] }, said('Two more')])],
  },
  'a refusal': {
    pieces: [
      piece('refusal.delta', inContent(0), { delta: 'I can' }),
      piece('refusal.delta', inContent(0), { delta: 'not.' }),
    ],
    items: [message('item_of_0', [{ type: 'refusal', refusal: 'I cannot.' }])],
  },
  'reasoning and its summary': {
    pieces: [
      piece('reasoning_text.delta', inContent(0), { delta: 'So ' }),
      piece('reasoning_text.delta', inContent(0), { delta: 'far' }),
      piece(
        'reasoning_summary_part.added',
        { ...at(0), summary_index: 0 },
        { part: { type: 'summary_text', text: '' } },
      ),
      piece('reasoning_summary_text.delta', { ...at(0), summary_index: 0 }, { delta: 'In short' }),
      piece('reasoning_summary_text.done', { ...at(0), summary_index: 1 }, { text: 'and then' }),
    ],
    items: [
      {
        summary: [
          { type: 'summary_text', text: 'In short' },
          { type: 'summary_text', text: 'and then' },
        ],
        id: 'item_of_0',
        type: 'reasoning',
        content: [{ type: 'reasoning_text', text: 'So far' }],
      },
    ],
  },
  'a function call': {
    pieces: [
      added(0, {
        id: 'fc_1',
        type: 'function_call',
        call_id: 'call_a',
        name: 'look',
        arguments: '',
        status: 'in_progress',
      }),
      piece('function_call_arguments.delta', at(0), { delta: '{"a"' }),
      piece('function_call_arguments.delta', at(0), { delta: ':1}' }),
    ],
    items: [
      { id: 'fc_1', type: 'function_call', call_id: 'call_a', name: 'look', arguments: '{"a":1}', status: 'completed' },
    ],
  },
  'a function call whose last word has its name': {
    pieces: [piece('function_call_arguments.done', at(0, 'fc_1'), { name: 'look', arguments: '{}' })],
    items: [{ id: 'fc_1', type: 'function_call', call_id: 'fc_1', name: 'look', arguments: '{}', status: 'completed' }],
  },
  'a call of an MCP server': {
    pieces: [
      added(0, { id: 'mcp_1', type: 'mcp_call', name: 'roll', server_label: 'dice', arguments: '' }),
      piece('mcp_call_arguments.delta', at(0), { delta: '{"n":' }),
      piece('mcp_call_arguments.done', at(0), { arguments: '{"n":2}' }),
    ],
    items: [
      { id: 'mcp_1', type: 'mcp_call', name: 'roll', server_label: 'dice', arguments: '{"n":2}', status: 'completed' },
    ],
  },
  'a call of a custom tool': {
    pieces: [
      added(0, { id: 'ctc_1', type: 'custom_tool_call', call_id: 'call_b', name: 'patch', input: '' }),
      piece('custom_tool_call_input.delta', at(0), { delta: '*** Begin' }),
      piece('custom_tool_call_input.delta', at(0), { delta: ' Patch' }),
    ],
    items: [
      {
        id: 'ctc_1',
        type: 'custom_tool_call',
        call_id: 'call_b',
        name: 'patch',
        input: '*** Begin Patch',
        status: 'completed',
      },
    ],
  },
  'code of the interpreter': {
    pieces: [
      piece('code_interpreter_call_code.delta', at(0, 'ci_1'), { delta: 'print(' }),
      piece('code_interpreter_call_code.delta', at(0, 'ci_1'), { delta: '1)' }),
    ],
    items: [{ id: 'ci_1', type: 'code_interpreter_call', code: 'print(1)', outputs: null, status: 'completed' }],
  },
  'shell commands, which name no item, and their output': {
    pieces: [
      added(0, { id: 'sh_1', type: 'shell_call', call_id: 'call_c', action: { commands: [], timeout_ms: 5 } }),
      piece('shell_call_command.added', { output_index: 0, command_index: 0 }, { command: '' }),
      piece('shell_call_command.delta', { output_index: 0, command_index: 0 }, { delta: 'ls ' }),
      piece('shell_call_command.delta', { output_index: 0, command_index: 0 }, { delta: '-l' }),
      piece('shell_call_command.done', { output_index: 0, command_index: 1 }, { command: 'pwd' }),
      added(1, { id: 'so_1', type: 'shell_call_output', call_id: 'call_c', output: [] }),
      piece('shell_call_output_content.delta', { ...at(1), command_index: 0 }, { delta: { stdout: 'a', stderr: 'e' } }),
      piece('shell_call_output_content.delta', { ...at(1), command_index: 0 }, { delta: { stdout: 'b' } }),
    ],
    items: [
      {
        id: 'sh_1',
        type: 'shell_call',
        call_id: 'call_c',
        action: { commands: ['ls -l', 'pwd'], timeout_ms: 5 },
        status: 'completed',
      },
      {
        id: 'so_1',
        type: 'shell_call_output',
        call_id: 'call_c',
        output: [{ stdout: 'ab', stderr: 'e' }],
        status: 'completed',
      },
    ],
  },
  'the outputs of two shell commands, each finished by itself': {
    pieces: [
      added(0, { id: 'so_1', type: 'shell_call_output', call_id: 'call_c', output: [] }),
      piece('shell_call_output_content.delta', { ...at(0), command_index: 0 }, { delta: { stdout: 'a' } }),
      piece('shell_call_output_content.done', { ...at(0), command_index: 0 }, { output: [shellOutput('a', '', 0)] }),
      piece('shell_call_output_content.delta', { ...at(0), command_index: 1 }, { delta: { stdout: 'b' } }),
      piece('shell_call_output_content.delta', { ...at(0), command_index: 1 }, { delta: { stderr: 'c' } }),
      piece('shell_call_output_content.done', { ...at(0), command_index: 1 }, { output: [shellOutput('b', 'c', 1)] }),
    ],
    items: [
      {
        id: 'so_1',
        type: 'shell_call_output',
        call_id: 'call_c',
        output: [shellOutput('a', '', 0), shellOutput('b', 'c', 1)],
        status: 'completed',
      },
    ],
  },
  'what was said aloud': {
    pieces: [
      piece('audio.transcript.delta', {}, { delta: 'Good ' }),
      piece('audio.transcript.delta', {}, { delta: 'day' }),
      piece('audio.delta', {}, { delta: 'UklG' }),
    ],
    items: [
      {
        role: 'assistant',
        content: [{ type: 'output_audio', transcript: 'Good day', data: 'UklG' }],
        type: 'message',
        status: 'completed',
      },
    ],
  },
  'an item that only began': {
    pieces: [added(0, { id: 'ws_1', type: 'web_search_call', status: 'in_progress' })],
    items: [{ id: 'ws_1', type: 'web_search_call', status: 'completed' }],
  },
};

describe('output from pieces', () => {
  for (const [name, { pieces, items }] of Object.entries(kinds))
    for (const [left, output] of Object.entries({ empty: [], 'left out': undefined, null: null }))
      test(`${name}, where the end has an output that is ${left}`, () => {
        assert.deepEqual(resultOf(pieces, completed(output)).output, items);
      });

  test('pieces of an item that the end leaves out stand at their index', () => {
    const reasoning = { id: 'rs_1', type: 'reasoning', summary: [] };
    const call = { id: 'fc_1', type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' };
    const { output } = resultOf(
      [
        { type: 'response.output_item.done', output_index: 0, item: reasoning },
        text('Between', inContent(1)),
        { type: 'response.output_item.done', output_index: 2, item: call },
      ],
      completed([reasoning, call]),
    );
    assert.deepEqual(
      output.map(({ type }) => type),
      ['reasoning', 'message', 'function_call'],
    );
  });

  test('finished items and pieces come in the order of their index, whichever came first', () => {
    const reasoning = { id: 'rs_1', type: 'reasoning', summary: [] };
    const { output } = resultOf([
      text('Later, ', inContent(2)),
      { type: 'response.output_item.done', output_index: 0, item: reasoning },
      text('and between', inContent(1)),
      text('more', inContent(2)),
    ]);
    assert.deepEqual(
      output.map((item) => [item.type, textOf({ output: [item] } as Response)]),
      [
        ['reasoning', ''],
        ['message', 'and between'],
        ['message', 'Later, more'],
      ],
    );
  });

  for (const order of ['before', 'around', 'within'])
    test(`pieces of an item that is never announced stay, where they come ${order} a finished one`, () => {
      const call = { id: 'fc_1', type: 'function_call', call_id: 'call_a', name: 'look', arguments: '{}' };
      const begun = added(1, { ...call, arguments: '' });
      const args = piece('function_call_arguments.delta', at(1), { delta: '{}' });
      const done = { type: 'response.output_item.done', output_index: 1, item: call };
      const [first, second] = [text('Hello ', inContent(12)), text('there', inContent(12))];
      const orders: Record<string, Json[]> = {
        before: [first, second, begun, args, done],
        around: [first, begun, args, done, second],
        within: [begun, first, args, second, done],
      };
      const { output } = resultOf(orders[order] ?? []);
      assert.deepEqual(output, [call, message('item_of_12', [said('Hello there')])]);
    });

  test('pieces that come behind their finished item do not take its place', () => {
    const done = message('msg_done', [said('Finished.')]);
    const finished = { type: 'response.output_item.done', output_index: 0, item: done };
    assert.deepEqual(resultOf([text('Finished.'), finished, text('late')]).output, [done]);
  });

  /** The events of two calls and an answer around it, as a server sends them in full. */
  const three = (): { items: Json[]; events: Json[] } => {
    const call = (n: number): Json => ({
      id: `fc_${n}`,
      type: 'function_call',
      call_id: `call_${n}`,
      name: 'look',
      arguments: `{"n":${n}}`,
      status: 'completed',
    });
    const items = [call(1), message('msg_1', [said('Looking.')]), call(2)];
    const events = items.flatMap((item, index) => {
      const where = at(index, String(item['id']));
      return [
        added(index, item['type'] === 'message' ? { ...item, content: [] } : { ...item, arguments: '' }),
        item['type'] === 'message'
          ? text('Looking.', { ...where, content_index: 0 })
          : piece('function_call_arguments.delta', where, { delta: item['arguments'] }),
        { type: 'response.output_item.done', output_index: index, item },
      ];
    });
    return { items, events };
  };
  const counts: Record<string, (event: Json) => Json> = {
    'has no index': (event) => without('output_index', event),
    'has its index as a text': (event) => ({ ...event, output_index: String(event['output_index']) }),
    'has the index 0': (event) => ({ ...event, output_index: 0 }),
    'has the index 0 and other ids in each event': (event) => ({
      ...event,
      output_index: 0,
      ...('item_id' in event && { item_id: `other_${JSON.stringify(event).length}` }),
    }),
  };
  for (const [name, change] of Object.entries(counts)) {
    test(`finished items of which each ${name} come once each, in their order`, () => {
      const { items, events } = three();
      assert.deepEqual(resultOf(events.map(change)).output, items);
    });

    test(`unfinished items of which each ${name} come once each, in their order`, () => {
      const { items, events } = three();
      const unfinished = events.filter(({ type }) => type !== 'response.output_item.done');
      const isRotated = name.includes('other ids');
      if (!isRotated) assert.deepEqual(resultOf(unfinished.map(change)).output, items);
      else assert.equal(textOf(resultOf(unfinished.map(change))), 'Looking.');
    });
  }

  test('the parts of an item from its pieces have all fields of their type', () => {
    const hollow = { id: 'msg_h', type: 'message', role: 'assistant', status: 'completed', content: [] };
    for (const end of [completed([]), completed([hollow])]) {
      const { output } = resultOf(
        [text('Piece'), { type: 'response.output_item.done', output_index: 0, item: hollow }],
        end,
      );
      assert.deepEqual(output[0]?.['content'], [said('Piece')]);
    }
  });

  const reasoned = { id: 'rs_1', type: 'reasoning', summary: [] };
  const ends: Record<string, (items: Json[]) => Json[]> = {
    'leaves the message out': ([call, , other]) => [call ?? {}, other ?? {}],
    'leaves the calls out': ([, said]) => [said ?? {}],
    'leaves one of two calls out': ([, said, other]) => [said ?? {}, other ?? {}],
    'leaves the message out, and has other ids': ([call, , other]) => [
      { ...call, id: 'fc_x' },
      { ...other, id: 'fc_y' },
    ],
  };
  for (const [name, end] of Object.entries(ends))
    test(`an end that ${name}: all items are in the output, in their order`, () => {
      const { items, events } = three();
      const { output } = resultOf(events, completed(end(structuredClone(items))));
      assert.deepEqual(
        output.map((item) => without('id', item as unknown as Json)),
        items.map((item) => without('id', item)),
      );
      assert.equal(track([created, ...events, completed(end(items))], false).storedOutput?.certain, false);
    });

  test('an end that has only the reasoning of an answer that came in deltas: the answer is in the output', () => {
    const finished = { type: 'response.output_item.done', output_index: 0, item: reasoned };
    assert.deepEqual(resultOf([finished, text('Said.', inContent(1))], completed([reasoned])).output, [
      reasoned,
      message('item_of_1', [said('Said.')]),
    ]);
  });

  test('an end whose message has other words and another id than the finished one is the last word', () => {
    const finished = (index: number, item: Json): Json => ({
      type: 'response.output_item.done',
      output_index: index,
      item,
    });
    const last = message('msg_y', [said('Bettered.')]);
    const events = [finished(0, reasoned), finished(1, message('msg_x', [said('Said.')]))];
    assert.deepEqual(resultOf(events, completed([last])).output, [reasoned, last]);
    const twice = [finished(0, message('msg_x', [said('Said.')])), finished(1, message('msg_z', [said('Said.')]))];
    assert.deepEqual(resultOf(twice, completed([last])).output, [last]);
  });

  test('item ids that change from piece to piece are one item', () => {
    const { output } = resultOf([
      text('a', { ...inContent(0), item_id: 'x1' }),
      text('b', { ...inContent(0), item_id: 'x2' }),
    ]);
    assert.equal(output.length, 1);
    assert.equal(textOf({ output } as Response), 'ab');
  });

  test('a finished item counts more than its pieces, and an output at the end more than both', () => {
    const done = message('msg_done', [said('Finished.')]);
    const finished = { type: 'response.output_item.done', output_index: 0, item: done };
    assert.deepEqual(resultOf([text('Piece'), finished]).output, [done]);
    const last = message('msg_last', [said('Last.')]);
    assert.deepEqual(resultOf([text('Piece'), finished], completed([last])).output, [last]);
    assert.deepEqual(resultOf([text('Piece')], completed([last])).output, [last]);
  });

  test('an item in which nothing is, finished or at the end, has what its pieces have brought', () => {
    const hollow = { id: 'msg_h', type: 'message', role: 'assistant', status: 'completed', content: [] };
    const finished = { type: 'response.output_item.done', output_index: 0, item: hollow };
    assert.equal(textOf(resultOf([text('Piece'), finished])), 'Piece');
    assert.equal(textOf(resultOf([text('Piece')], completed([hollow]))), 'Piece');
    const done = { ...hollow, content: [said('Finished.')] };
    assert.equal(textOf(resultOf([{ ...finished, item: done }], completed([hollow]))), 'Finished.');
    const call = { id: 'fc_1', type: 'function_call', call_id: 'call_a', name: 'look', arguments: '' };
    const { output } = resultOf([
      piece('function_call_arguments.delta', at(0), { delta: '{}' }),
      { type: 'response.output_item.done', output_index: 0, item: call },
    ]);
    assert.equal(output[0]?.['arguments'], '{}');
  });

  test('a call without its name fails loudly, and not as a success without it', () => {
    for (const asText of [false, true]) {
      const arguments_ = piece('function_call_arguments.delta', at(0), { delta: '{}' });
      const tracker = track([created, arguments_, completed([])], asText);
      assert.throws(() => tracker.result, { code: 'protocol_error', message: /function_call only pieces came/ });
    }
  });

  test('an id that was made up is no sure ground to continue from', () => {
    const done = piece('function_call_arguments.done', at(0), { name: 'look', arguments: '{}' });
    assert.equal(track([created, done, completed([])], false).storedOutput?.certain, false);
    assert.equal(track([created, text('Hi'), completed([])], false).storedOutput?.certain, true);
  });

  test('an item that was cut off is incomplete', () => {
    const { output } = resultOf([text('Half')], completed([], 'incomplete'));
    assert.equal(output[0]?.['status'], 'incomplete');
  });

  test('pieces of finished items are not kept', () => {
    for (const asText of [false, true]) {
      const events: Json[] = [created];
      for (let index = 0; index < 5; index += 1) {
        events.push(added(index, { id: `msg_${index}`, type: 'message', content: [] }));
        for (let count = 0; count < 100; count += 1) events.push(text('x'.repeat(100), inContent(index)));
        events.push({
          type: 'response.output_item.done',
          output_index: index,
          item: message(`m${index}`, [said('x')]),
        });
      }
      const { bytes } = track(events, asText);
      assert.ok(bytes < 2000, `${bytes} bytes are kept`);
    }
  });

  test('no event is changed by those that come after it', () => {
    for (const [name, { pieces }] of Object.entries(kinds)) {
      const events = structuredClone([created, ...pieces, completed([])]);
      const tracker = new ResponseTracker(new Secrets(), new Steering());
      const frames = events.map((event) => Frame.parse(JSON.stringify(event)));
      for (const frame of frames) tracker.read(frame);
      assert.deepEqual(
        frames.map(({ event }) => event),
        events,
        name,
      );
    }
  });

  test('an event that its consumer has edited counts as it came', () => {
    const tracker = new ResponseTracker(new Secrets(), new Steering());
    for (const one of [created, text('As '), text('it came.'), completed([])]) {
      const frame = Frame.parse(JSON.stringify(one));
      tracker.read(frame);
      if ('delta' in frame.event) frame.event.delta = 'edited';
    }
    assert.equal(textOf(tracker.result), 'As it came.');
  });

  test('indices and fields that make no sense harm nothing', () => {
    const wild = [-1, 1.5, 1e9, '0', null];
    for (const index of wild)
      resultOf([
        text('a', { output_index: index, content_index: index }),
        piece('output_text.delta', inContent(0), { delta: 5 }),
        piece('content_part.added', inContent(0), { part: 'x' }),
        piece('output_text.annotation.added', inContent(0), {}),
        piece('shell_call_command.delta', { output_index: 1, command_index: index }, { delta: 'ls' }),
        piece('shell_call_output_content.delta', { output_index: 2, command_index: index }, { delta: null }),
        piece('shell_call_output_content.done', { output_index: 2, command_index: index }, { output: 'x' }),
        {
          type: 'response.output_item.added',
          output_index: 3,
          item: JSON.parse('{"__proto__":{"x":1},"type":"message"}'),
        },
      ]);
    assert.equal(({} as Json)['x'], undefined);
  });

  test('a piece that is no JSON, where nobody has parsed it, is left out', () => {
    const tracker = new ResponseTracker(new Secrets(), new Steering());
    for (const one of [
      JSON.stringify(created),
      '{"type":"response.output_text.delta","delta":oops}',
      JSON.stringify(text('fine')),
      JSON.stringify(completed([])),
    ])
      tracker.read(Frame.peek(one));
    assert.equal(textOf(tracker.result), 'fine');
  });
});
