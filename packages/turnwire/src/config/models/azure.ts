/** The address of Azure's v1 API (P11), or the problem of the given one. */

type Address = { baseUrl: string } | { problem: string; at: 'base_url' | 'api_version' };

/**
 * The address for a `base_url` of Azure. A resource (`https://NAME.openai.azure.com`), alone or with `/openai`, gets the path `/openai/v1`. Any other path is
 * kept, since a gateway may be there. Dated versions are refused: their addresses have no WebSocket.
 */
export function azureAddress(baseUrl: string, version: string | undefined): Address {
  const url = new URL(baseUrl);
  if (url.pathname.includes('/deployments/')) {
    const problem =
      'this is the address of a deployment, which has no Responses API; give the resource, https://NAME.openai.azure.com, and the deployment as "model"';
    return { problem, at: 'base_url' };
  }
  if (!/^(?:v1|latest|preview)$/.test(version ?? 'v1')) {
    const problem =
      '"api_version" must be v1 or preview: turnwire speaks Azure\'s v1 API, which has no dated versions; remove it';
    return { problem, at: 'api_version' };
  }
  if (/^\/(?:openai\/?)?$/.test(url.pathname)) url.pathname = '/openai/v1';
  if (version === 'preview') url.searchParams.set('api-version', 'preview');
  return { baseUrl: url.href };
}
