/**
 * An address that somebody else names, be it a redirect's, an upload's or a token service's.
 * @param address absolute, or as it stands at `from`
 * @returns nothing when it is none of the web's. A name and a password in it are left out: whose they are, nobody knows.
 */
export function webAddress(address: string | undefined, from?: string): URL | undefined {
  if (!address || !URL.canParse(address, from)) return undefined;
  const target = new URL(address, from);
  if (target.protocol !== 'https:' && target.protocol !== 'http:') return undefined;
  target.username = '';
  target.password = '';
  return target;
}

/**
 * Where an answer to a request leads.
 * @returns nothing when that is nowhere, or out of TLS
 */
export function leadsTo(location: string | undefined, from: URL): URL | undefined {
  const target = webAddress(location, from.href);
  return target?.protocol === 'https:' || target?.protocol === from.protocol ? target : undefined;
}
