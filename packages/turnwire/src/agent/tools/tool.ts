import { z } from 'zod';
import type { Model } from '../../config/models/model.js';
import type { AgentEvent } from '../events.js';
import type { ToolHost } from './tool-host.js';

/** One part of what a call gives, as the API takes it in the output of a function. */
export type ToolContent = { type: 'input_text'; text: string } | { type: 'input_image'; image_url: string };

/** What a call gives: a text, or texts and images in their order. */
export type ToolOutput = string | readonly ToolContent[];

/** A call that did not go well, and what the model is told of it, as it is: the output of a command that failed says why by itself. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
  readonly output: ToolOutput;

  /** @param output told as it is; where it has images, `message` says in words what it is */
  constructor(output: ToolOutput, message = typeof output === 'string' ? output : '') {
    super(message);
    this.output = output;
  }
}

/** Something the model may ask for. A toolset is a list of them. */
export interface Tool {
  name: string;
  /** Tells the model when to use it and what comes back. */
  description: string;
  /** JSON Schema of the arguments, an object. */
  parameters: Readonly<Record<string, unknown>>;
  /** Changes nothing: runs without being approved, and at the same time as others of its kind. */
  readOnly: boolean;
  /** That it is read-only is the word of somebody whom the file does not trust: a call needs a yes all the same. @default false */
  unproven?: boolean | undefined;
  /** Never runs at the same time as another, even if it changes nothing. @default false */
  alone?: boolean | undefined;
  /** The model is shown it once it has asked for it. @default it is shown from the beginning */
  deferred?: boolean | undefined;
  /** Changes nothing by itself, but lets others do what may: if it is interrupted, it may have had effects. @default false */
  delegates?: boolean | undefined;
  /** @throws Error whose message tells the model what is wrong with these arguments. Called before anyone is asked. */
  check(args: unknown): void;
  /**
   * Does it, and resolves to what the model is told. Bounds its own time and the size of its output, and ends when `signal` fires.
   *
   * @throws Error whose message tells the model what went wrong, or ToolFailure; a run never ends by it.
   */
  run(args: unknown, context: ToolContext): Promise<ToolOutput>;
  /** The argument that is a command for the shell: rules look at each of the commands it is made of. @default none is */
  command?: string | undefined;
  /** The arguments that are paths: rules look at the places that they lead to. @default none are */
  paths?: PathArguments | undefined;
  /** Folders outside of the working directory that a call reads in. @default it reads in none */
  beyond?: ((args: unknown) => Promise<readonly string[]>) | undefined;
  /** Why a call needs a yes whatever would let it run; undefined: it does not. @default none does */
  risk?: ((args: unknown) => string | undefined) | undefined;
  /** The addresses that a call sends requests to. @default it sends none that anybody is asked for */
  addresses?: ((args: unknown) => readonly URL[]) | undefined;
  /** Whether it gives what the user may not want to be sent elsewhere: files, what commands print. @default false */
  revealing?: boolean | undefined;
  /** What rules may call it besides its name. @default nothing else */
  alias?: string | undefined;
  /** Another tool that does the same: what rules deny or ask for of it, they do of this one. What they allow they do not. @default none */
  restrictedAs?: string | undefined;
  /**
   * What a call would do, as people read it. Undefined where its arguments say it best.
   *
   * @throws Error where that cannot be told.
   */
  preview?: ((args: unknown) => Promise<Preview | undefined>) | undefined;
  /** What runs, where the name and the arguments do not say it: shown to who is asked. @default nothing more */
  detail?: string | undefined;
  /** What reads its result: the model of the next turn. @default the one that called it */
  readBy?: Model | undefined;
}

export type Preview =
  /** A command as it will run, and what else is to be known of it. */
  | { kind: 'command'; command: string; notes: readonly string[] }
  /** A file as it will be: a diff in the unified format, or the words that say why there is none. */
  | { kind: 'diff'; diff: string };

/** Arguments of a tool that are paths, or lists of them. */
export interface PathArguments {
  names: readonly string[];
  /** The folder that they are relative to, without links. */
  root: string;
  /** Where a path leads, links followed. @throws Error where it leads nowhere */
  place: (path: string) => Promise<string>;
  /** Whether names that differ in their case mean the same file there. */
  insensitive: boolean;
  /** Whether what is done to a folder is done to all that is in it. @default false */
  deep?: boolean;
}

export interface ToolContext {
  signal: AbortSignal;
  /** Whether rules let it read what stands at a place that it comes upon: absolute, without links. @default they let it */
  mayRead?: ((place: string) => boolean) | undefined;
  /** Whether it may read at a place outside of the working directory. @default it may not */
  mayLeave?: ((place: string) => boolean) | undefined;
  /** Whether it may send a request to an address that it is sent on to. @default it may */
  mayReach?: ((address: URL) => Promise<boolean>) | undefined;
  /** Tells of what happens meanwhile; resolves once it has been read. For tools that are agents themselves. @default nobody listens */
  emit?: ((event: AgentEvent) => Promise<void>) | undefined;
  /** The conversation that it is called in. @default it is called outside of one */
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

/** A tool whose arguments are described once: for the model, for the check, and for the compiler. */
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
