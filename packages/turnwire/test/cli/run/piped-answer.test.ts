import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PipedAnswer } from '../../../dist/cli/run/piped-answer.js';

/** What is written: `|` takes the turn again, `.` ends it, everything else is said letter by letter. */
function written(script: string, isFile = false): string {
  let text = '';
  const answer = new PipedAnswer((piece) => (text += piece), { isFile });
  for (const step of script) {
    if (step === '|') answer.again();
    else if (step === '.') answer.ended();
    else answer.put(step);
  }
  return text;
}

describe('an answer in a pipe', () => {
  for (const [what, script, expected] of [
    ['is written as it comes', 'one', 'one'],
    ['is not written twice where it is begun anew', 'on|one.', 'one'],
    ['goes on behind what stands there, however often it broke off', 'o|on|one.two.', 'onetwo'],
    ['goes on behind what stands there, also after a shorter attempt', 'one|o|one two.', 'one two'],
    ['begins on a new line where it differs', 'one|other.', 'one\nother'],
    ['begins on a new line where it differs after a difference', 'one|other|else.', 'one\nother\nelse'],
    ['begins on a new line where it has become shorter', 'one|on.', 'one\non'],
    ['needs no second new line', 'one\n|other.', 'one\nother'],
    ['keeps what came of a turn that failed', 'one|.', 'one'],
    ['forgets a turn that has ended', 'one.|one.', 'oneone'],
  ] as const)
    test(what, () => assert.equal(written(script), expected));
});

describe('an answer in a file', () => {
  for (const [what, script, expected] of [
    ['is written when its turn has ended', 'one', ''],
    ['is the last attempt alone', 'one|other.two.', 'othertwo'],
    ['is what came of a turn that failed', 'one|oth.', 'oth'],
  ] as const)
    test(what, () => assert.equal(written(script, true), expected));
});
