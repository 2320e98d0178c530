import { maxShapeFields, maxShapeNameLength } from '../../base/bounds.js';

/**
 * The shape of a request: the names of its fields, two levels deep, with the kind of each value, and none of its content. A decimal number is a kind of its
 * own, because some servers take `temperature: 1` over a WebSocket and not `temperature: 0.7` (C11).
 *
 * Lists are not looked into, so a growing history keeps its shape. The order of fields does not matter.
 */
export function shapeOf(body: object): string {
  return fields(body, (value) =>
    isObject(value)
      ? `{${fields(value, (inner) => (isObject(inner) ? 'object' : valueKind(inner)))}}`
      : valueKind(value),
  );
}

function fields(object: object, shape: (value: unknown) => string): string {
  return Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, maxShapeFields)
    .map(([name, value]) => `${name.slice(0, maxShapeNameLength)}:${shape(value)}`)
    .join(',');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'decimal';
  return typeof value;
}
