import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { Printer } from '../../../dist/cli/process/terminal.js';
import { Screen } from '../../../dist/cli/screen/screen.js';
import { Transcript } from '../../../dist/cli/screen/transcript.js';

/** What stands on a screen of 40 columns once all of these have happened. */
function shown(events: readonly AgentEvent[]): string[] {
  let written = '';
  const screenOf40 = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      written += String(text);
      done();
    },
  });
  const output = Object.assign(screenOf40, { isTTY: true, columns: 40, rows: 30 });
  const screen = new Screen(output, () => ({ rows: [], cursor: undefined }));
  const transcript = new Transcript(new Printer(output, { NO_COLOR: '1' }), screen);
  for (const event of events) transcript.show(event);
  transcript.end();
  return stripVTControlCharacters(written)
    .split(/\r?\n/)
    .map((line) => line.replaceAll('\r', '').trimEnd())
    .filter((line) => line !== '');
}

test('text and reasoning of an agent with a task have a bar before them, and the answer has none', () => {
  const lines = shown([
    { type: 'agent_choice_reasoning', content: 'Who knows?\n\n' },
    { type: 'agent_switching', from: 'root', to: 'helper', reason: 'transfer_task' },
    { type: 'agent_choice_reasoning', content: 'Let me *see*.' },
    { type: 'agent_choice', content: 'It is 42.' },
    { type: 'agent_switching', from: 'helper', to: 'root', reason: 'return' },
    { type: 'agent_choice', content: 'The helper says 42.' },
  ]);
  assert.deepEqual(lines, ['Who knows?', '⇒ helper', '│ Let me see.', '│ It is 42.', '⇒ root', 'The helper says 42.']);
});
