// turnwire's fetch, or the reason why it cannot be measured yet.
export async function turnwireFetch({ url, conversations }) {
  let createFetch;
  try {
    ({ createFetch } = await import('@turnwire/client/fetch'));
  } catch (error) {
    if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED' && error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  }
  if (createFetch === undefined)
    throw Object.assign(new Error('@turnwire/client/fetch is not there yet'), { notYet: true });
  return createFetch({
    baseUrl: url,
    apiKey: 'bench',
    transport: 'websocket',
    pool: { maxConnections: conversations },
  });
}
