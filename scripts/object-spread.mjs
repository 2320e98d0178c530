// V8 11.3, that of Node 20, makes a hidden class for each single object of `{ ...first, more }`, at 3 µs each, and all code that reads the object is slow
// after it. Where something stands before the spread it does not, and neither does any later V8. So the bundles have `{ ...void 0, ...first, more }`,
// which means the same.
import { parseAst } from 'rolldown/parseAst';

/** The same program, in which no object literal of several parts begins with a spread. */
export function withEmptySpreads(code) {
  const places = [];
  const visit = (node) => {
    if (node.type === 'ObjectExpression' && beginsWithSpread(node.properties)) places.push(node.properties[0].start);
    for (const value of Object.values(node)) {
      for (const each of Array.isArray(value) ? value : [value]) if (isNode(each)) visit(each);
    }
  };
  visit(parseAst(code));
  let text = '';
  let from = 0;
  for (const place of places.toSorted((one, other) => one - other)) {
    text += `${code.slice(from, place)}...void 0, `;
    from = place;
  }
  return text + code.slice(from);
}

/** Whether a literal of several parts begins with the spread of an object. One that was rewritten does not. */
function beginsWithSpread([first, second]) {
  return first?.type === 'SpreadElement' && second !== undefined && first.argument.operator !== 'void';
}

function isNode(value) {
  return typeof value === 'object' && value !== null && typeof value.type === 'string';
}
