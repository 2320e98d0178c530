import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandsIn } from '../../../dist/agent/permissions/shell-commands.js';

/** Texts that run `touch bad` in sh or bash, by what of the grammar stands before the name or around it. */
const shapes: Readonly<Record<string, readonly string[]>> = {
  blanks: ['touch bad', 'touch  bad', 'touch\tbad', '\ttouch bad', 'touch${IFS}bad', 'touch$IFS"bad"'],
  assignments: ['A=1 touch bad', 'A=1 B="x y" touch bad', 'A=$(touch bad)'],
  separators: [
    'true; touch bad',
    'true;touch bad',
    'true && touch bad',
    'true || touch bad',
    'true & touch bad',
    'true&touch bad',
    'true | touch bad',
    'true |& touch bad',
    'true\ntouch bad',
    'true \r\n touch bad',
    '((1)); touch bad',
    'echo $((1+2)); touch bad',
    'echo a 2>&1;touch bad',
    'echo $"x"; touch bad',
    'echo "a\\"; touch bad; "',
  ],
  groups: ['(touch bad)', '{ touch bad; }', 'f() { touch bad; }; f', '[[ a ]] && touch bad'],
  substitutions: [
    'echo $(touch bad)',
    'echo "$(touch bad)"',
    'echo `touch bad`',
    'echo "`touch bad`"',
    'cat <(touch bad)',
    'tee >(touch bad)',
    'echo ${x:-$(touch bad)}',
    '$(echo touch) bad',
    '$(which touch) bad',
    '`echo touch` bad',
  ],
  'what a shell reads': [
    'bash <<< "touch bad"',
    'sh <<<"touch bad"',
    "echo 'touch bad' | sh",
    'printf %s "touch bad" | /bin/bash -s',
    'source <(echo touch bad)',
    '. <(echo "touch bad")',
  ],
  'names of other commands': [
    "shopt -s expand_aliases; alias ll='touch bad'\nll",
    'alias ll="touch bad"',
    "git -c alias.x='!touch bad' x",
    "env --split-string='touch bad'",
    'ssh host touch bad',
    'ls | entr touch bad',
  ],
  paths: ['/usr/bin/touch bad', './touch bad', '../bin/touch bad'],
  quotes: [
    '\\touch bad',
    "'touch' bad",
    '"touch" bad',
    'to"uc"h bad',
    "t''ouch bad",
    "touch 'bad'",
    'touch "bad"',
    'tou\\\nch bad',
    'touch \\\n bad',
    "$'touch' bad",
    "$'\\x74ouch' bad",
    "$'\\164\\u006fuch' bad",
    '{touch,bad}',
  ],
  variables: [
    'x=touch; $x bad',
    'x="touch bad"; $x',
    '${X:-touch} bad',
    '${X-touch} bad',
    '$EMPTY touch bad',
    'tou${EMPTY}ch bad',
    'to$@uch bad',
  ],
  'commands that run others': [
    'command touch bad',
    'command -p touch bad',
    'builtin command touch bad',
    'env touch bad',
    'env -- touch bad',
    'env -i A=1 touch bad',
    'env -u X touch bad',
    'env -S "touch bad"',
    'exec touch bad',
    'exec -a x touch bad',
    'sudo touch bad',
    'sudo -u root touch bad',
    'sudo -E -u root -- touch bad',
    'sudo env A=1 nohup touch bad',
    'nohup touch bad',
    'time touch bad',
    'time -p touch bad',
    'time -f %e touch bad',
    'nice -n 5 touch bad',
    'nice -5 touch bad',
    'timeout 5 touch bad',
    'timeout -s KILL 5 touch bad',
    'setsid touch bad',
    'stdbuf -oL touch bad',
    'xargs touch bad',
    'echo x | xargs -n 1 touch bad',
    'busybox touch bad',
    'flock f touch bad',
    'chroot / touch bad',
    '/usr/bin/env touch bad',
    'find . -exec touch bad ;',
    'find . -name x -exec touch bad {} +',
    'find . -execdir touch bad \\;',
  ],
  'texts for another shell': [
    'sh -c "touch bad"',
    "bash -lc 'touch bad'",
    'sh -c \'sh -c "touch bad"\'',
    'eval touch bad',
    'eval "touch bad"',
    "su -c 'touch bad'",
    'trap "touch bad" EXIT',
    'watch "touch bad"',
    '/bin/sh -c "cd x && touch bad"',
    'sh <<EOF\ntouch bad\nEOF',
  ],
  redirections: [
    '>x touch bad',
    '2>/dev/null touch bad',
    '<in touch bad',
    '2>&1 touch bad',
    '&>x touch bad',
    'touch >x bad',
    'touch bad >x',
    '{fd}>x touch bad',
    '>>x touch bad',
    '<<<x touch bad',
  ],
  'reserved words': [
    'if true; then touch bad; fi',
    'for f in a; do touch bad; done',
    'while touch bad; do :; done',
    '! touch bad',
    'case a in a) touch bad;; esac',
    'coproc touch bad',
  ],
  'quotes that are none': ["# don't\ntouch bad", "cat <<EOF\ndon't\nEOF\nA=1 touch  bad", "echo it's; touch bad"],
};
for (const [group, texts] of Object.entries(shapes)) {
  describe(`commands of a text: ${group}`, () => {
    for (const text of texts) {
      test(JSON.stringify(text), () => {
        const { lines, unclear } = commandsIn(text);
        assert.ok(
          [...lines].some((line) => line.startsWith('touch bad')),
          JSON.stringify([...lines]),
        );
        assert.equal(unclear, false);
      });
    }
  });
}

describe('commands of a text: texts that only mention a command', () => {
  for (const text of [
    'echo touch bad',
    'echo "touch bad"',
    'git commit -m "touch bad"',
    'ls touch bad',
    '# touch bad',
    'env echo touch bad',
    'sudo -u touch ls',
    'cat touch > bad',
    'touchbad',
    'grep "touch bad" f',
  ]) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(
        [...commandsIn(text).lines].filter((line) => line.startsWith('touch bad')),
        [],
      );
    });
  }
});

describe('commands of a text: bounds', () => {
  const long: Readonly<Record<string, string>> = {
    'a chain of commands that run one another': 'sudo '.repeat(50_000),
    'options without end': `env ${'- '.repeat(100_000)}`,
    'substitutions in substitutions': '$('.repeat(50_000),
    'defaults in defaults': '${a:-'.repeat(40_000),
    'backticks without end': '`a'.repeat(100_000),
    'quotes without end': `"'`.repeat(100_000),
    'very many commands': 'a;'.repeat(100_000),
    'a text that is too long': 'x'.repeat(300_000),
  };
  for (const [name, text] of Object.entries(long)) {
    test(`${name}: read in time and without an error`, () => {
      const began = process.cpuUsage();
      const { lines } = commandsIn(text);
      const { user } = process.cpuUsage(began);
      assert.ok(user < 8_000_000, `${user / 1000} ms`);
      assert.ok([...lines].reduce((sum, line) => sum + line.length, 0) < 4 * 1024 * 1024);
    });
  }

  test('a text that is not parsed to its end is reported as unclear', () => {
    for (const text of ['$('.repeat(50), 'x'.repeat(300_000), 'a;'.repeat(100_000)])
      assert.equal(commandsIn(text).unclear, true);
  });
});
