// A server that commits every deviation, over its standard input and output: a tool for each answer, and a tool for each entry of the list.
import { createInterface } from 'node:readline';
import { deviatingAnswer } from './deviating-answer.js';

process.stdout.write('a greeting that is no message\n[1,2\n{"level":"info"}\n\n');
createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write('a line of a log\n');
  const answer = deviatingAnswer(JSON.parse(line));
  if (answer !== undefined) process.stdout.write(`${answer}\n`);
});
