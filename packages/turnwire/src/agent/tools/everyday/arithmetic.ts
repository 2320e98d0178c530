/** The longest expression, in characters. */
const longest = 2000;
/** The deepest nesting of parentheses. */
const deepest = 100;

const constants: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
]);

const functions: ReadonlyMap<string, (...values: number[]) => number> = new Map<
  string,
  (...values: number[]) => number
>([
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['cos', Math.cos],
  ['exp', Math.exp],
  ['floor', Math.floor],
  ['ln', Math.log],
  ['log', Math.log10],
  ['log2', Math.log2],
  ['max', Math.max],
  ['min', Math.min],
  ['round', Math.round],
  ['sin', Math.sin],
  ['sqrt', Math.sqrt],
  ['tan', Math.tan],
]);

/**
 * The value of an expression: numbers, + - * / % and ^ (or **), parentheses, constants and functions.
 *
 * @throws Error that says what is wrong with it.
 */
export function calculate(expression: string): number {
  if (expression.length > longest) throw new Error(`the expression is longer than ${longest} characters`);
  const tokens = [
    ...expression.matchAll(/\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z]\w*)|(\*\*|[-+*/%^(),])|(\S))/gi),
  ].map(([, number, name, sign, other]) => {
    if (other !== undefined) throw new Error(`"${other}" means nothing here`);
    return number ?? name?.toLowerCase() ?? sign ?? '';
  });
  let at = 0;
  let depth = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (wanted: string): void => {
    if (tokens[at] !== wanted)
      throw new Error(`"${wanted}" is missing ${tokens[at] === undefined ? 'at the end' : `before "${tokens[at]}"`}`);
    at += 1;
  };
  const sum = (): number => {
    let value = product();
    for (let sign = peek(); sign === '+' || sign === '-'; sign = peek()) {
      at += 1;
      value = sign === '+' ? value + product() : value - product();
    }
    return value;
  };
  const product = (): number => {
    let value = signed();
    for (let sign = peek(); sign === '*' || sign === '/' || sign === '%'; sign = peek()) {
      at += 1;
      const other = signed();
      if (sign !== '*' && other === 0) throw new Error('this divides by zero');
      value = sign === '*' ? value * other : sign === '/' ? value / other : value % other;
    }
    return value;
  };
  const signed = (): number => {
    let negative = false;
    for (let sign = peek(); sign === '+' || sign === '-'; sign = peek()) {
      at += 1;
      if (sign === '-') negative = !negative;
    }
    const value = power();
    return negative ? -value : value;
  };
  const power = (): number => {
    const base = atom();
    const sign = peek();
    if (sign !== '^' && sign !== '**') return base;
    at += 1;
    depth += 1;
    if (depth > deepest) throw new Error('the expression is nested too deeply');
    const value = base ** signed();
    depth -= 1;
    return value;
  };
  const atom = (): number => {
    const token = peek();
    if (token === undefined) throw new Error('the expression ends too early');
    at += 1;
    if (/^[\d.]/.test(token)) return Number(token);
    if (token === '(') return inner();
    const constant = constants.get(token);
    if (constant !== undefined) return constant;
    const apply = functions.get(token);
    if (apply === undefined)
      throw new Error(
        /^[a-z]/.test(token)
          ? `there is no ${token}; there are ${[...constants.keys(), ...functions.keys()].join(', ')}`
          : `"${token}" stands in the wrong place`,
      );
    take('(');
    const values = [inner(',')];
    while (tokens[at - 1] === ',') values.push(inner(','));
    return apply(...values);
  };
  /** The value between parentheses, up to their end, or up to a comma. */
  const inner = (separator?: string): number => {
    depth += 1;
    if (depth > deepest) throw new Error('the expression is nested too deeply');
    const value = sum();
    depth -= 1;
    if (separator !== undefined && peek() === separator) at += 1;
    else take(')');
    return value;
  };
  const value = sum();
  const rest = peek();
  if (rest !== undefined) throw new Error(`"${rest}" stands in the wrong place`);
  if (!Number.isFinite(value)) throw new Error('this has no finite value');
  return value;
}
