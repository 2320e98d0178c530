import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filledIn } from '../../../dist/agent/hooks/hook-template.js';
import { templateProblem } from '../../../dist/config/schema/agents/hook-template.js';

const told = {
  tool_name: 'shell',
  session_id: 's',
  tool_input: { cmd: 'ls', maxItems: 3 },
  skill: { content: 'Run "it".' },
};

describe('templates of hooks', () => {
  // As text/template of Go gives them, but for mappings, which are JSON here.
  const rows: readonly (readonly [string, string])[] = [
    ['{{ .ToolName }} in {{.SessionID}}', 'shell in s'],
    ['{{ .ToolInput.cmd }}', 'ls'],
    ['{{ .ToolInput.maxItems }}', '3'],
    ['{{ .ToolInput | toJSON }}', '{"cmd":"ls","maxItems":3}'],
    ['{{ toJSON .Skill.Content }}', '"Run \\"it\\"."'],
    ['{{ .ToolName | truncate 2 }}', 'sh…'],
    ['{{ truncate 9 .ToolName }}', 'shell'],
    ['{{ .ToolInput | toJSON | truncate 4 }}', '{"cm…'],
    ['a  {{- .ToolName -}}  b', 'ashellb'],
    ['a  {{- .ToolName }}  b', 'ashell  b'],
    ['{{ .Nothing }}.', '.'],
    ['no field', 'no field'],
  ];
  for (const [template, expected] of rows)
    test(`${JSON.stringify(template)} is ${JSON.stringify(expected)}`, () =>
      assert.equal(filledIn(template, told), expected));

  for (const template of [
    '{{ if .ToolName }}x{{ end }}',
    '{{ range .X }}',
    '{{',
    '{{ .A | printf "%q" }}',
    '{{ "x" }}',
  ])
    test(`${JSON.stringify(template)} is refused`, () => assert.match(templateProblem(template) ?? '', /no other/));
});
