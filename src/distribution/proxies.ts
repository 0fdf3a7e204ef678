/** The proxies through which requests go, as URLs, and the hosts that are spoken to without, as NO_PROXY names them. */
export interface Proxies {
  readonly http?: string;
  readonly https?: string;
  readonly no?: string;
}
