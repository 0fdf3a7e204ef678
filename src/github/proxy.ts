import type { Proxies } from '../distribution/proxies.ts';
import { Problems } from '../problems.ts';
import { withoutLogin } from '../words.ts';

/**
 * Reads the proxies that the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), in small letters first, as everybody does.
 * One without a scheme is spoken to over HTTP, as curl takes it.
 * @throws Problems for each that cannot be used, without its password
 */
export function readProxy(environment: NodeJS.ProcessEnv): Proxies {
  const problems: string[] = [];
  const read = (name: string): string | undefined => {
    const variable = environment[name.toLowerCase()] ? name.toLowerCase() : name;
    const text = environment[variable]?.trim();
    if (!text) return undefined;
    const url = text.includes('://') ? text : `http://${text}`;
    if (isUsable(url)) return url;
    problems.push(
      `${variable}: "${withoutLogin(text)}" is no proxy that can be used: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with what is special in user and password as %40 for "@"`,
    );
    return undefined;
  };
  const [http, https] = [read('HTTP_PROXY'), read('HTTPS_PROXY')];
  const no = environment.no_proxy || environment.NO_PROXY;
  if (problems.length > 0) throw new Problems(problems);
  return { ...(http && { http }), ...(https && { https }), ...(no && { no }) };
}

function isUsable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && isEncoded(username) && isEncoded(password);
}

/** Whether this is what user and password have to be in a URL. */
function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
