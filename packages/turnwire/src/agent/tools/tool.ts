import { z } from 'zod';
import type { Model } from '../../config/models/model.js';
import type { AgentEvent } from '../events.js';
import type { ToolHost } from './tool-host.js';

/** A part of a call's output, in the format of the API. */
export type ToolContent = { type: 'input_text'; text: string } | { type: 'input_image'; image_url: string };

/** The output of a call: a text, or texts and images in their order. */
export type ToolOutput = string | readonly ToolContent[];

/** Thrown for a failed call. The model is given the output unchanged: the output of a failed command says why by itself. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
  readonly output: ToolOutput;

  /** @param output given to the model unchanged; for an output with images, `message` says it in words */
  constructor(output: ToolOutput, message = typeof output === 'string' ? output : '') {
    super(message);
    this.output = output;
  }
}

/** A tool that the model can call. */
export interface Tool {
  name: string;
  /** Tells the model when to use the tool, and what it returns. */
  description: string;
  /** The JSON Schema of the arguments, which is an object. */
  parameters: Readonly<Record<string, unknown>>;
  /** True for a tool that changes nothing: it runs without approval, and at the same time as other such tools. */
  readOnly: boolean;
  /** True where a source that the file does not trust says that the tool is read-only: a call still needs a yes. @default false */
  unproven?: boolean | undefined;
  /** True for a tool that never runs at the same time as another, even if it changes nothing. @default false */
  alone?: boolean | undefined;
  /** True for a tool that the model is shown only once it has asked for it. @default false */
  deferred?: boolean | undefined;
  /** True for a tool that changes nothing itself, but lets other agents do so: an interrupted call may have had effects. @default false */
  delegates?: boolean | undefined;
  /** Called before hooks and the user are asked. @throws Error whose message tells the model what is wrong with these arguments */
  check(args: unknown): void;
  /**
   * Runs the call, and resolves to its output. It bounds its own time and the size of its output, and ends when `signal` fires.
   *
   * @throws Error whose message tells the model what went wrong, or ToolFailure; neither ends the run
   */
  run(args: unknown, context: ToolContext): Promise<ToolOutput>;
  /** The argument that is a shell command: rules look at each command in it. @default none */
  command?: string | undefined;
  /** The arguments that are paths: rules look at the places that they lead to. @default none */
  paths?: PathArguments | undefined;
  /** The folders outside of the working directory that a call reads in. @default none */
  beyond?: ((args: unknown) => Promise<readonly string[]>) | undefined;
  /** The reason why a call needs a yes whatever rule would let it run; undefined: it needs none. @default no call does */
  risk?: ((args: unknown) => string | undefined) | undefined;
  /** The addresses that a call sends requests to. @default none that need a question */
  addresses?: ((args: unknown) => readonly URL[]) | undefined;
  /** True where the output may have what the user does not want to send elsewhere: files, or the output of commands. @default false */
  revealing?: boolean | undefined;
  /** Another name that rules may use for the tool. @default none */
  alias?: string | undefined;
  /** Another tool that does the same. Rules that deny or ask for that tool also hold for this one; rules that allow it do not. @default none */
  restrictedAs?: string | undefined;
  /**
   * The effect of a call in a form for people; undefined where its arguments show it best.
   *
   * @throws Error where the effect cannot be shown
   */
  preview?: ((args: unknown) => Promise<Preview | undefined>) | undefined;
  /** The text that will run, where name and arguments do not show it; the user sees it with the question. @default none */
  detail?: string | undefined;
  /** The model that reads the result in the next turn. @default the model that made the call */
  readBy?: Model | undefined;
}

export type Preview =
  /** A command as it will run, and notes about it. */
  | { kind: 'command'; command: string; notes: readonly string[] }
  /** A file after the change: a diff in the unified format, or a sentence that says why there is none. */
  | { kind: 'diff'; diff: string };

/** The arguments of a tool that are paths, or lists of paths. */
export interface PathArguments {
  names: readonly string[];
  /** The folder to which relative paths belong, without links. */
  root: string;
  /** The path that a path leads to, with links followed. @throws Error where it leads nowhere */
  place: (path: string) => Promise<string>;
  /** True where what is done to a folder is done to everything in it. @default false */
  deep?: boolean;
}

export interface ToolContext {
  signal: AbortSignal;
  /** True where rules let the tool read a path that it comes upon, which is absolute and without links. @default all */
  mayRead?: ((place: string) => boolean) | undefined;
  /** True where the tool may read a path outside of the working directory. @default none */
  mayLeave?: ((place: string) => boolean) | undefined;
  /** True where the tool may send a request to the target of a redirect. @default all */
  mayReach?: ((address: URL) => Promise<boolean>) | undefined;
  /** Called with the events of a tool that is an agent itself; resolves once the event was read. @default the events are dropped */
  emit?: ((event: AgentEvent) => Promise<void>) | undefined;
  /** The conversation that calls the tool. @default the tool is called outside of one */
  caller?: ToolHost | undefined;
}

export interface ToolDefinition<Input extends z.ZodType> {
  name: string;
  description: string;
  readOnly: boolean;
  input: Input;
  alone?: boolean;
  delegates?: boolean;
  command?: string;
  paths?: PathArguments;
  beyond?: (args: z.output<Input>) => Promise<readonly string[]>;
  addresses?: (args: z.output<Input>) => readonly URL[];
  revealing?: boolean;
  restrictedAs?: string;
  preview?: (args: z.output<Input>) => Promise<Preview | undefined>;
  run: (args: z.output<Input>, context: ToolContext) => Promise<ToolOutput>;
}

/** A tool whose arguments are described once, for the model, the check and the compiler. */
export function defineTool<Input extends z.ZodType>({
  name,
  description,
  readOnly,
  input,
  alone,
  delegates,
  command,
  paths,
  beyond,
  addresses,
  revealing,
  restrictedAs,
  preview,
  run,
}: ToolDefinition<Input>): Tool {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(input, { io: 'input' });
  const parse = (args: unknown): z.output<Input> => {
    const { data, error } = input.safeParse(args);
    if (error !== undefined) throw new Error(`wrong arguments for ${name}: ${error.issues.map(sentence).join('; ')}`);
    return data;
  };
  return {
    name,
    description,
    parameters,
    readOnly,
    alone,
    delegates,
    command,
    paths,
    beyond: beyond === undefined ? undefined : async (args) => beyond(parse(args)),
    addresses: addresses === undefined ? undefined : (args) => addresses(parse(args)),
    revealing,
    restrictedAs,
    preview: preview === undefined ? undefined : (args) => preview(parse(args)),
    check: (args) => void parse(args),
    run: async (args, context) => run(parse(args), context),
  };
}

function sentence({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}
