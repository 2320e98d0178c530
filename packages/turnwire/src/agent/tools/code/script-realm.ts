import type FileSystem from 'node:fs';
import type VirtualMachine from 'node:vm';

/**
 * Runs one script in a process of its own, which has been started with nothing but its standard input and output. It is handed over as a text, so that the
 * process may read no file: all that it needs is inside of it.
 *
 * A line in: the script, and the names of its functions. Lines out: calls, each of which waits for a line with its answer, and in the end the result.
 */
export function scriptRealm(load: NodeJS.Require): void {
  const fs = load('node:fs') as typeof FileSystem;
  const vm = load('node:vm') as typeof VirtualMachine;
  const exit = process.exit.bind(process);
  const { setImmediate: later, Buffer: Bytes } = globalThis;
  const context = vm.createContext(Object.create(null) as object, { codeGeneration: { strings: false, wasm: false } });
  // A script that finds its way to this side of its context finds nothing here but JavaScript itself.
  const plain = new Set(vm.runInContext('Object.getOwnPropertyNames(globalThis)', context) as string[]);
  for (const key of Object.getOwnPropertyNames(globalThis))
    if (!plain.has(key)) Reflect.deleteProperty(globalThis, key);
  let read = '';
  const receive = (): unknown => {
    const chunk = Bytes.alloc(65_536);
    for (;;) {
      const end = read.indexOf('\n');
      if (end !== -1) {
        const line = read.slice(0, end);
        read = read.slice(end + 1);
        return JSON.parse(Bytes.from(line, 'latin1').toString());
      }
      let count = 0;
      try {
        count = fs.readSync(0, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') continue;
        throw error;
      }
      if (count === 0) exit(1);
      read += chunk.toString('latin1', 0, count);
    }
  };
  const tell = (text: string): void => {
    let rest = Bytes.from(`${text}\n`);
    while (rest.length > 0) {
      try {
        rest = rest.subarray(fs.writeSync(1, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    }
  };
  const { script, names, limit } = receive() as { script: string; names: readonly string[]; limit: number };
  // Everything that the script sees is made inside of its context: an object of this one would lead it out of there.
  const prepare = vm.runInContext(
    `(ask, names, limit) => {
      const { stringify, parse } = JSON, Failure = Error, text = String;
      const printed = { stdout: '', stderr: '' };
      const show = (value) => {
        if (typeof value === 'string') return value;
        try { return value instanceof Failure ? text(value) : stringify(value) ?? text(value); } catch { return text(value); }
      };
      const print = (to) => (...values) => {
        printed[to] = (printed[to] + values.map(show).join(' ') + '\\n').slice(0, limit);
      };
      const [out, err] = [print('stdout'), print('stderr')];
      globalThis.console = { debug: out, info: out, log: out, trace: out, warn: out, error: err };
      for (const name of names)
        globalThis[name] = (args = {}) => {
          const answer = parse(ask(stringify({ call: name, args })));
          if (answer.error !== undefined) throw new Failure(answer.error);
          return answer.output;
        };
      let result;
      const settle = (key) => (value) => {
        try { result ??= { [key]: value === undefined || value === null ? '' : show(value) }; } catch { result ??= { error: 'its result is no text' }; }
      };
      return {
        start: (work) => void work().then(settle('value'), settle('error')),
        end: () => stringify({ ...(result ?? { error: 'the script waits for what never comes; no call has to be awaited' }), ...printed }),
      };
    }`,
    context,
  ) as (ask: (line: string) => string, names: readonly string[], limit: number) => Realm;
  interface Realm {
    start: (work: unknown) => void;
    end: () => string;
  }
  const ask = (line: string): string => {
    tell(line);
    return JSON.stringify(receive());
  };
  const { start, end } = prepare(ask, names, limit);
  try {
    start(vm.runInContext(`(async () => {\n${script}\n})`, context, { filename: 'script', lineOffset: -1 }));
  } catch (error) {
    tell(JSON.stringify({ done: JSON.stringify({ error: String(error), stdout: '', stderr: '' }) }));
    return;
  }
  // Runs once all promises that can be settled are settled.
  later(() => tell(JSON.stringify({ done: end() })));
}
