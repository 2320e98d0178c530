import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ran, shell, skip } from './hooked-run.js';

describe('safer: a command that may destroy something', { skip }, () => {
  const safer = 'toolsets: [{ type: shell, safer: true }]';

  test('needs a question, also with --yolo and a rule that allows it', async (t) => {
    for (const flags of [['--yolo'], []]) {
      const { made, of } = await ran(t, {
        hooks: 'stop: []',
        script: shell('rm victim'),
        files: { victim: '' },
        top: 'permissions: { allow: ["shell:cmd=rm*"] }',
        toolsets: safer,
        flags,
      });
      assert.equal(made('victim'), true);
      assert.equal(of('tool_call_confirmation').length, 1);
      const said = String(of('tool_call_response')[0]?.['response']);
      assert.match(
        said,
        /could not be asked.*no user can be asked, and neither --yolo nor a rule answers this question/,
      );
      assert.doesNotMatch(said, /with --yolo to run|permissions/);
    }
  });

  test('is not allowed by any hook of permission_request', async (t) => {
    const allow = JSON.stringify({ hook_specific_output: { permission_decision: 'allow' } });
    const { made } = await ran(t, {
      hooks: `permission_request: { hooks: { type: command, command: ${JSON.stringify(`echo '${allow}'`)} } }`,
      script: shell('rm victim'),
      files: { victim: '' },
      toolsets: safer,
      flags: [],
    });
    assert.equal(made('victim'), true);
  });

  test('leaves other commands as they are', async (t) => {
    const { made } = await ran(t, { hooks: 'stop: []', script: shell('touch ran'), toolsets: safer });
    assert.equal(made('ran'), true);
  });
});
