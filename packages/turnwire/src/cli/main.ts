import { readFile } from 'node:fs/promises';
import { Command, CommanderError, Option } from 'commander';
import { exitStatus } from './process/exit-status.js';
import { helpOf, type Verb } from './help.js';
import {
  allowHost,
  allowOrigin,
  envFromFile,
  numberUpTo,
  positive,
  several,
  speed,
  wholeUpTo,
} from './options/option-values.js';
import { Printer } from './process/terminal.js';
import type { Io } from './process/io.js';

/**
 * The command line: reads `argv`, runs one verb, and resolves to its exit status. Never rejects and never exits the process: errors become one
 * sentence on `stderr`.
 */
export async function main(io: Io): Promise<number> {
  const stderr = new Printer(io.stderr, io.env);
  let status: number = exitStatus.ok;
  const program = await commandLine(io, (ended) => {
    status = ended;
  });
  try {
    // What follows --worktree without "=" is the agent file, not a name.
    const rest = io.argv.indexOf('--');
    const argv = io.argv.map((each, at) =>
      each === '--worktree' && (rest === -1 || at < rest) ? '--worktree=' : each,
    );
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    // commander throws help and version as errors of status 0; it has printed the sentence about wrong usage already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.ok : exitStatus.usage;
    const { describeFailure } = await import('./process/failure.js');
    const { text, status: failed } = describeFailure(error, io.argv.includes('--debug'));
    stderr.line(text);
    return failed;
  }
}

async function commandLine(io: Io, end: (status: number) => void): Promise<Command> {
  const program = new Command('turnwire')
    .description(
      'Agents on the OpenAI Responses API: over a warm WebSocket, over SSE, or against an emulator without a key.',
    )
    .version(await packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(`turnwire: ${hinted(text.replace(/^error: /, ''))}`),
    })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 failed, 2 wrong usage or configuration, 129/130/143 ended by a signal, 141 the output was closed.',
    );

  verb(program, 'demo')
    .description(
      'run one program with the ordinary fetch, with that of turnwire, and through serve; no key, no network',
    )
    .addOption(
      new Option('--rtt <ms>', 'round trip of the simulated link, in milliseconds; 0: none')
        .default(40)
        .argParser(numberUpTo(10_000)),
    )
    .addOption(
      new Option('--uplink <mbit>', 'uplink of the simulated link, in Mbit/s; 0: unlimited')
        .default(10)
        .argParser(numberUpTo(100_000)),
    )
    .option('--keep', 'keep the folder that the runs worked in, and print its path')
    .option('--svg <file>', 'write an animated SVG picture of the runs to this file')
    .option('--json', 'print the result as JSON')
    .action(async (options) => {
      const { demo } = await import('./demo/demo.js');
      end(await demo(io, options));
    });

  verb(program, 'run')
    .description('run an agent from a YAML file')
    .argument('[file]', 'the agent file, in the format of docker-agent; default: docker-agent.yaml')
    .argument(
      '[prompt]',
      'what the agent is to do; "-" reads the prompt from standard input; none: ask at the terminal',
    )
    .option('--yolo', 'run all tools without asking')
    .option('--model <name>', 'model of the agent that the run begins with: a name under "models", or provider/model')
    .addOption(
      new Option(
        '--transport <name>',
        'transport of the agent that the run begins with; default: the one in the file',
      ).choices(['auto', 'websocket', 'sse']),
    )
    .option('--json', 'print events, one JSON object a line')
    .addOption(
      new Option('--attach <file>', 'send a picture or a text with the prompt; may be given several times').argParser(
        several,
      ),
    )
    .option('--working-dir <folder>', 'folder that the tools work in; default: the current folder')
    .addOption(
      new Option(
        '--worktree [name]',
        'let the tools work in a new git worktree; a name is given as --worktree=NAME',
      ).argParser((name) => (name === '' ? true : name)),
    )
    .option('--session <id>', 'go on with an earlier session: its id, or -1 for the last one, -2 for the one before')
    .option('--record <file>', 'write all traffic between the models and their providers to this file, for --replay')
    .option('--replay <file>', 'answer from a file that --record wrote; needs no key; a different request ends the run')
    .option('--loose', 'with --replay: go on after a different request, and report the difference')
    .addOption(
      new Option(
        '--speed <factor>',
        'with --replay: speed relative to the recording, such as 10; default: no pauses',
      ).argParser(speed),
    )
    .option('--script <file>', 'script (YAML) that the emulator answers from, for models with "provider: emulator"')
    .addOption(envFromFile())
    .action(async (file, prompt, options) => {
      const { run } = await import('./run/run.js');
      end(await run(io, file, prompt, options));
    });

  verb(program, 'sessions')
    .description('list the kept sessions, the most recently used one first')
    .option('--json', 'print the sessions as JSON')
    .action(async (options) => {
      const { sessions } = await import('./sessions.js');
      end(sessions(io, options));
    });

  verb(program, 'config')
    .description('check an agent file, and print it with all defaults filled in and without secrets')
    .argument('<file>', 'the agent file, in the format of docker-agent')
    .addOption(envFromFile())
    .option('--json', 'print JSON instead of YAML')
    .action(async (file, options) => {
      const { config } = await import('./config.js');
      end(await config(io, file, options));
    });

  verb(program, 'emulate')
    .description('serve the Responses API on this machine, over SSE and WebSocket, without a key')
    .argument('[script]', 'script (YAML) with the answers; default: the emulator repeats its input')
    .addOption(
      new Option('--port <number>', 'port to listen on; 0: any free one').default(0).argParser(numberUpTo(65_535)),
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(allowHost())
    .addOption(allowOrigin())
    .option('--tls-cert <file>', 'certificate (PEM): serve TLS; with --tls-key')
    .option('--tls-key <file>', 'private key of that certificate (PEM)')
    .addOption(
      new Option('--credentials <rule>', 'keys that can use a response: the one that made it, or all').choices([
        'separate',
        'shared',
      ]),
    )
    .option(
      '--recordings <folder>',
      'folder of recordings: model "recording/NAME" answers with the events of NAME.jsonl',
    )
    .option('--model <names...>', 'models to answer, any other is refused; default: every model is answered')
    .addOption(
      new Option('--dialect <name>', 'provider to imitate: its lanes, limits, error shapes and [DONE]')
        .choices(['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt'])
        .default('openai'),
    )
    .addOption(
      new Option('--first-token-ms <ms>', 'time to the first token, in milliseconds').argParser(numberUpTo(3_600_000)),
    )
    .addOption(
      new Option(
        '--tokens-per-second <number>',
        'speed of an answer, in deltas a second; default: all at once',
      ).argParser(positive),
    )
    .addOption(
      new Option(
        '--ms-per-1000-uncached-tokens <ms>',
        'milliseconds added to the first token for every 1000 input tokens that no earlier turn brought',
      ).argParser(numberUpTo(3_600_000)),
    )
    .option('--obfuscation', 'pad deltas to one length, as the real API does unless told not to')
    .addOption(
      new Option('--jitter <part>', 'random change of each wait, as a part of the wait: 0 to 1').argParser(
        numberUpTo(1),
      ),
    )
    .addOption(
      new Option(
        '--clock-speed <factor>',
        'speed of the clock for waits, ages and limits, such as 60; default: 1',
      ).argParser(positive),
    )
    .option('--check', 'check the script, the faults or the recording, and end')
    .option('--verbose', 'print a line for each request and each turn, without contents')
    .option('--no-control', 'leave out the control API at /emulator')
    .option('--faults <file>', 'rules (YAML) for what to break')
    .option('--replay <file>', 'answer from a file that "turnwire record" wrote; a different request is refused')
    .option('--loose', 'with --replay: give the next recorded answer, whatever is asked')
    .addOption(
      new Option(
        '--speed <factor>',
        'with --replay: speed relative to the recording, such as 10, or "at-once"',
      ).argParser(speed),
    )
    .option('--json', 'print the address as JSON')
    .action(async (script, options) => {
      const { emulate } = await import('./emulate.js');
      end(await emulate(io, script, options));
    });

  verb(program, 'script')
    .description('print a script for "turnwire emulate" with the answers of a recording, to be edited')
    .requiredOption('--from <file>', 'a recording that "turnwire record" or "turnwire run --record" wrote')
    .option('--upstream <name>', 'the upstream to take, of a recording with several')
    .action(async (options) => {
      const { script } = await import('./script.js');
      end(await script(io, options));
    });

  verb(program, 'serve')
    .description(
      'serve the Responses API of an upstream to any client: a warm pool of WebSockets that carries only new items',
    )
    .option('--upstream <url>', 'base URL of the API to serve, such as https://api.openai.com/v1')
    .option('--config <file>', 'the configuration (YAML), in place of --upstream')
    .addOption(
      new Option('--port <number>', 'port to listen on; 0: any free one; default: 4000').argParser(numberUpTo(65_535)),
    )
    .option('--host <address>', 'the address to listen on; default: 127.0.0.1')
    .option(
      '--open',
      'with another address than loopback: serve clients without keys of the gateway, and pass their own keys on',
    )
    .addOption(allowHost())
    .addOption(allowOrigin())
    .addOption(
      new Option('--transport <name>', 'how the upstream is reached; default: auto').choices([
        'auto',
        'websocket',
        'sse',
      ]),
    )
    .addOption(
      new Option(
        '--admin-port <number>',
        'port of the admin page, which shows the savings; 0: any free one; default: no page',
      ).argParser(numberUpTo(65_535)),
    )
    .option('--admin-host <address>', 'address of the admin page; default: 127.0.0.1')
    .option('--admin-open', 'with another address than loopback: show the admin page to everybody who reaches it')
    .addOption(
      new Option('--drain-ms <ms>', 'how long running turns have after SIGTERM; default: 30000').argParser(
        numberUpTo(3_600_000),
      ),
    )
    .addOption(envFromFile())
    .option('--check', 'say whether the configuration is valid, and end')
    .option('--json', 'print the address as JSON')
    .action(async (options) => {
      const { serve } = await import('./serve.js');
      end(await serve(io, options));
    });

  verb(program, 'record')
    .description('stand between a client and an upstream, and write their traffic to a file for "emulate --replay"')
    .argument('<upstream>', 'the base URL of the upstream, such as https://api.openai.com/v1')
    .option('--to <file>', 'the file to write; it must not exist yet')
    .addOption(
      new Option('--port <number>', 'port to listen on; 0: any free one').default(0).argParser(numberUpTo(65_535)),
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(allowHost())
    .addOption(allowOrigin())
    .option('--json', 'print the address as JSON')
    .action(async (upstream, options) => {
      const { record } = await import('./record.js');
      end(await record(io, upstream, options));
    });

  verb(program, 'bench')
    .description('run the same tool loop over SSE and over WebSocket, on the emulator or on your own endpoint')
    .option('--url <base>', 'your endpoint, such as https://api.openai.com/v1; this spends tokens')
    .option('--model <name>', 'with --url: the model that runs the loop')
    .option(
      '--key-from <variable>',
      'with --url: the variable that holds the key; default: that of OpenAI or xAI, at their own addresses alone',
    )
    .addOption(
      new Option('--rtt <ms>', 'without --url: round trip of the simulated link; default: 40').argParser(
        numberUpTo(10_000),
      ),
    )
    .addOption(new Option('--turns <number>', 'turns of each loop').default(12).argParser(wholeUpTo(200)))
    .addOption(new Option('--result <kB>', 'size of each tool result, in kB').default(8).argParser(numberUpTo(1000)))
    .addOption(new Option('--rounds <number>', 'loops over each transport').default(3).argParser(wholeUpTo(100)))
    .option('--yes', 'with --url: spend the tokens without asking')
    .option('--json', 'print the figures of every loop as JSON')
    .option('--svg <file>', 'write an SVG chart of the time at which each turn ended to this file')
    .action(async (options) => {
      const { bench } = await import('./bench/bench.js');
      end(await bench(io, options));
    });

  verb(program, 'check')
    .description('check how well a server speaks the Responses API, rule by rule')
    .argument('[url]', 'the base URL of the server, such as http://127.0.0.1:8080/v1')
    .option('--model <name>', 'the model to ask; rules that use no model need none')
    .addOption(
      new Option('--profile <name>', 'the provider of the server: features that this provider lacks are no failures')
        .choices(['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt', 'gateway'])
        .default('openai'),
    )
    .option('--only <names...>', 'the rules or chapters to try; default: all')
    .option(
      '--key-from <variable>',
      "the variable that holds the key; default: that of a known provider, at that provider's address alone",
    )
    .option('--second-key-from <variable>', 'the variable that holds the key of another user, for isolation')
    .addOption(
      new Option('--budget <tokens>', 'the most tokens that may be spent').default(100_000).argParser(wholeUpTo(1e9)),
    )
    .addOption(
      new Option('--timeout <seconds>', 'the longest wait for one answer').default(60).argParser(wholeUpTo(600)),
    )
    .option('--yes', 'spend the tokens without being asked')
    .option('--list', 'show the rules, and end')
    .option('--verbose', 'show the rules that were skipped, too')
    .option('--json', 'print the results as JSON')
    .action(async (url, options) => {
      const { check } = await import('./check/check.js');
      end(await check(io, url, options));
    });

  verb(program, 'doctor')
    .description('find out why a server of the Responses API is slow, reached over SSE only, or cut off')
    .argument('<url>', 'the base URL of the server, such as https://api.openai.com/v1')
    .option(
      '--model <name>',
      'ask this model for three short turns, to see where time is lost and events are held back',
    )
    .option(
      '--key-from <variable>',
      "the variable that holds the key; default: that of a known provider, at that provider's address alone",
    )
    .addOption(
      new Option('--wait <seconds>', 'leave a WebSocket idle for so long, to see whether something ends it').argParser(
        wholeUpTo(7200),
      ),
    )
    .addOption(
      new Option('--size <mib>', 'MiB of the body and the frame that are sent').default(2).argParser(wholeUpTo(32)),
    )
    .addOption(
      new Option('--timeout <seconds>', 'the longest wait for one answer').default(60).argParser(wholeUpTo(600)),
    )
    .option('--yes', 'spend the tokens without being asked')
    .option('--json', 'print the findings as JSON')
    .action(async (url, options) => {
      const { doctor } = await import('./doctor/doctor.js');
      end(await doctor(io, url, options));
    });

  return program;
}

function verb(program: Command, name: Verb): Command {
  return program
    .command(name)
    .option('--debug', 'on an error, print where it happened')
    .addHelpText('after', helpOf(name));
}

/** Adds to commander's message what the user probably meant. */
function hinted(text: string): string {
  return text.startsWith("too many arguments for 'run'")
    ? 'too many arguments: put a prompt of several words in quotes, as in turnwire run agent.yaml "fix the tests"\n'
    : text;
}

async function packageVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
