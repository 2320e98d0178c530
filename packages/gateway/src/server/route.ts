import { Refusal } from '../base/refusal.js';

/** The destination of a request. `path` is below the base of the API, without its query. */
export type Route =
  | { name: 'operations'; path: '/livez' | '/readyz' | '/metrics' }
  /** `/responses` itself: requests for turns. */
  | { name: 'turns' }
  /** `query` begins with its question mark. */
  | { name: 'other'; path: string; query: string };

/** @throws Refusal for a target that is no path, or for a path that leads out of the base. */
export function routeOf(target: string): Route {
  const at = target.indexOf('?');
  const whole = at === -1 ? target : target.slice(0, at);
  if (whole === '/livez' || whole === '/readyz' || whole === '/metrics') return { name: 'operations', path: whole };
  // Some clients count the version as part of the base URL, and some do not.
  const path = whole.replace(/^\/v1(?=\/|$)/, '');
  if (path === '/responses' || path === '/responses/') return { name: 'turns' };
  if (!isPlain(path))
    throw new Refusal('the path of the request is not one of this API', { status: 404, code: 'unknown_path' });
  return { name: 'other', path, query: at === -1 ? '' : target.slice(at) };
}

/** True for a path that begins with a slash and has no segment that another server could read as a step upwards, or as several segments. */
function isPlain(path: string): boolean {
  if (!path.startsWith('/') || /[\\#]|%2f|%5c|%00/i.test(path)) return false;
  return path
    .slice(1)
    .split('/')
    .every((segment, index, all) => {
      const plain = segment.replaceAll(/%2e/gi, '.');
      return plain !== '.' && plain !== '..' && (segment !== '' || index === all.length - 1);
    });
}
