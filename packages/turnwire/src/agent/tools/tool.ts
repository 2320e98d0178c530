import { z } from 'zod';

/** Something the model may ask for. A toolset is a list of them. */
export interface Tool {
  name: string;
  /** Tells the model when to use it and what comes back. */
  description: string;
  /** JSON Schema of the arguments, an object. */
  parameters: Readonly<Record<string, unknown>>;
  /** Changes nothing: runs without being approved. */
  readOnly: boolean;
  /** @throws Error whose message tells the model what is wrong with these arguments. Called before anyone is asked. */
  check(args: unknown): void;
  /**
   * Does it, and resolves to what the model is told. Bounds its own time and the length of its text, and ends when `signal` fires.
   *
   * @throws Error whose message tells the model what went wrong; a run never ends by it.
   */
  run(args: unknown, context: ToolContext): Promise<string>;
}

export interface ToolContext {
  signal: AbortSignal;
}

export interface ToolDefinition<Input extends z.ZodType> {
  name: string;
  description: string;
  readOnly: boolean;
  input: Input;
  run: (args: z.output<Input>, context: ToolContext) => Promise<string>;
}

/** A tool whose arguments are described once: for the model, for the check, and for the compiler. */
export function defineTool<Input extends z.ZodType>({
  name,
  description,
  readOnly,
  input,
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
    check: (args) => void parse(args),
    run: async (args, context) => run(parse(args), context),
  };
}

function sentence({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}
