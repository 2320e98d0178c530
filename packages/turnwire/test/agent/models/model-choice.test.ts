// Which model answers a turn, of those that an agent has.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ModelChoice } from '../../../dist/agent/models/model-choice.js';
import { routeOf } from '../../../dist/agent/models/routing.js';
import type { Model } from '../../../dist/config/models/model.js';
import { agent } from '../agent.js';

const model = (name: string, links: Partial<Model['links']> = {}): Model => ({
  ...agent.model,
  name,
  links: { ...agent.model.links, ...links },
});
const [a, b, c] = [model('a'), model('b'), model('c')];
const names = (choice: ModelChoice): string[] => choice.candidates().map(({ name }) => name);

describe('routing', () => {
  const routes = [
    { model: a, examples: ['hello', 'hi there', 'thanks'] },
    { model: b, examples: ['debug this code', 'implement a function', 'fix this error', 'write a program'] },
    { model: c, examples: ['analyze this document in detail', 'compare and contrast these approaches'] },
  ];
  for (const [prompt, expected] of [
    ['hello', 'a'],
    ['Hi there!', 'a'],
    ['Thanks a lot', 'a'],
    ['Please debug this code: it crashes at start', 'b'],
    ['implementing a function that sorts', 'b'],
    ['Compare these two approaches for me', 'c'],
    ['What is the capital of France?', undefined],
    ['', undefined],
  ] as const) {
    test(`"${prompt}" goes to ${expected ?? 'no other model'}`, () => {
      assert.equal(routeOf(prompt, routes)?.name, expected);
    });
  }
});

describe('the choice of a model', () => {
  test('several models take turns, and the next one follows once a model has answered', () => {
    const choice = new ModelChoice({ ...agent, model: a, alternates: [a, b] });
    assert.deepEqual([names(choice), names(choice)], [['a'], ['a']]);
    choice.worked(a);
    assert.deepEqual(names(choice), ['b']);
    choice.worked(b);
    assert.deepEqual(names(choice), ['a']);
  });

  test('a fallback that works is kept until its time is over', () => {
    let now = 0;
    const one = { ...agent, model: a, fallback: { ...agent.fallback, models: [b], cooldownMs: 10 } };
    const choice = new ModelChoice(one, () => now);
    choice.worked(b);
    assert.deepEqual(names(choice), ['b', 'a']);
    now = 10;
    assert.deepEqual(names(choice), ['a', 'b']);
  });

  test('the model that reads the results of a toolset has one turn', () => {
    const choice = new ModelChoice({ ...agent, model: a });
    choice.readBy(b);
    assert.deepEqual(names(choice), ['b']);
    choice.worked(b);
    assert.deepEqual(names(choice), ['a']);
  });

  test('a picked model stays until revert_model; without one, prompts are routed', () => {
    const router = model('router', { routes: [{ model: c, examples: ['write a poem'] }] });
    const choice = new ModelChoice({ ...agent, model: router });
    choice.route('write a poem about rain');
    assert.deepEqual(names(choice), ['c']);
    choice.pick(b);
    assert.deepEqual(names(choice), ['b']);
    choice.pick(undefined);
    choice.route('And now?');
    assert.deepEqual(names(choice), ['router']);
  });
});
