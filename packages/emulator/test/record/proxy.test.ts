import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyVariable } from '../../dist/record/proxy.js';

const proxy = 'http://proxy.example:3128';

const cases: readonly [address: string, env: Record<string, string>, variable: string | undefined][] = [
  ['https://api.openai.com/v1', {}, undefined],
  ['https://api.openai.com/v1', { HTTPS_PROXY: proxy }, 'HTTPS_PROXY'],
  ['https://api.openai.com/v1', { HTTPS_PROXY: ' ' }, undefined],
  ['https://api.openai.com/v1', { HTTP_PROXY: proxy }, undefined],
  ['http://host.example/v1', { HTTP_PROXY: proxy }, 'HTTP_PROXY'],
  ['https://api.openai.com/v1', { all_proxy: proxy }, 'all_proxy'],
  ['https://api.openai.com/v1', { https_proxy: proxy, NO_PROXY: 'openai.com' }, undefined],
  ['https://api.openai.com/v1', { https_proxy: proxy, NO_PROXY: 'x.example, .openai.com' }, undefined],
  ['https://api.openai.com/v1', { https_proxy: proxy, NO_PROXY: '*' }, undefined],
  ['https://api.openai.com/v1', { https_proxy: proxy, no_proxy: 'notopenai.com' }, 'https_proxy'],
  ['http://127.0.0.1:8080/v1', { http_proxy: proxy, all_proxy: proxy }, undefined],
];

for (const [address, env, variable] of cases) {
  test(`${address} with ${JSON.stringify(env)}: ${variable ?? 'no proxy'}`, () => {
    assert.equal(proxyVariable(new URL(address), env), variable);
  });
}
