// The text below the options in each verb's --help: examples, exit statuses of that verb, and its page in docs/.

interface VerbHelp {
  examples: readonly string[];
  /** The exit statuses, where they mean something else than those of all verbs. */
  exitStatus?: string;
  page: string;
}

export type Verb = keyof typeof verbs;

const verbs = {
  demo: {
    examples: ['turnwire demo', 'turnwire demo --rtt 80 --uplink 5 --svg demo.svg'],
    page: 'docs/cli.md',
  },
  run: {
    examples: [
      'turnwire run agent.yaml "Which of the tests here are slow?"',
      'git diff | turnwire run reviewer.yaml -',
      'turnwire run agent.yaml --session -1',
    ],
    page: 'docs/agents.md',
  },
  sessions: { examples: ['turnwire sessions', 'turnwire sessions --json'], page: 'docs/sessions.md' },
  config: {
    examples: ['turnwire config agent.yaml', 'turnwire config agent.yaml --json'],
    page: 'docs/configuration.md',
  },
  emulate: {
    examples: ['turnwire emulate', 'turnwire emulate script.yaml --port 4010', 'turnwire emulate --replay run.jsonl'],
    page: 'docs/emulator.md',
  },
  script: { examples: ['turnwire script --from run.jsonl > script.yaml'], page: 'docs/emulator-recordings.md' },
  serve: {
    examples: [
      'turnwire serve --upstream https://api.openai.com/v1 --port 4000',
      'turnwire serve --upstream https://api.openai.com/v1 --admin-port 4040',
      'turnwire serve --config gateway.yaml --check',
    ],
    page: 'docs/gateway.md',
  },
  record: {
    examples: ['turnwire record --to run.jsonl -- https://api.openai.com/v1'],
    page: 'docs/emulator-recordings.md',
  },
  bench: {
    examples: ['turnwire bench', 'turnwire bench --url https://api.openai.com/v1 --model gpt-5.4 --svg bench.svg'],
    page: 'docs/performance.md',
  },
  check: {
    examples: [
      'turnwire check http://127.0.0.1:8080/v1 --model local',
      'turnwire check http://127.0.0.1:8080/v1 --only connecting errors/http-envelope',
      'turnwire check https://gateway.example/v1 --profile gateway --model gpt-5.4 --key-from GATEWAY_KEY --yes --json',
    ],
    exitStatus: '0 no rule failed, 1 a rule failed or the server does not answer, 2 wrong usage',
    page: 'docs/check.md',
  },
  doctor: {
    examples: [
      'turnwire doctor https://gateway.example/v1',
      'turnwire doctor https://gateway.example/v1 --model gpt-5.4 --key-from GATEWAY_KEY --yes',
      'turnwire doctor http://127.0.0.1:8080/v1 --wait 120 --json',
    ],
    exitStatus: '0 nothing wrong, 1 a problem was found, 2 wrong usage',
    page: 'docs/doctor.md',
  },
} satisfies Record<string, VerbHelp>;

export function helpOf(verb: Verb): string {
  const { examples, exitStatus, page }: VerbHelp = verbs[verb];
  return [
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    ...(exitStatus === undefined ? [] : [`Exit status: ${exitStatus}.`]),
    `More: ${page}`,
  ].join('\n');
}
