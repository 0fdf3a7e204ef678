import type { Failure } from './failure.ts';
import type { Refusal } from './refusal.ts';

/** What keeps requests from getting there, and ECR's own failures. */
export const NETWORK_REFUSALS: readonly Refusal[] = [
  { title: 'no such host', signs: [{ codes: ['ENOTFOUND'] }], advice: hostAdvice },
  {
    title: 'endpoints of two kinds',
    signs: [{ said: /(?:FIPS|Dualstack) and custom endpoint are not supported/i }],
    advice: () =>
      'leave out "use-fips-endpoint" and "use-dualstack-endpoint", or the AWS_ENDPOINT_URL that leads the API elsewhere',
  },
  {
    title: 'no answer from the name server',
    signs: [{ codes: ['EAI_AGAIN'] }],
    advice: () => 'check the name server of the runner, and run the job again',
  },
  {
    title: 'a proxy that wants a password',
    signs: [{ said: /Proxy response \(407\)|Proxy Authentication Required/i }],
    advice: () => 'write user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT',
  },
  {
    title: 'nobody who listens',
    signs: [{ codes: ['ECONNREFUSED'] }],
    advice: () => 'check where requests are led: "registry-endpoint", AWS_ENDPOINT_URL_ECR and HTTPS_PROXY',
  },
  // Before the next, for the SDK calls it a timeout.
  {
    title: 'a connection that was cut',
    signs: [
      {
        codes: [
          'ECONNRESET',
          'EPIPE',
          'UND_ERR_SOCKET',
          'ERR_STREAM_PREMATURE_CLOSE',
          'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
        ],
      },
    ],
    advice: () => 'run the job again; if it stays so, a proxy or a firewall cuts long transfers',
  },
  {
    title: 'no answer in time',
    signs: [
      {
        codes: [
          ...['TimeoutError', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
          ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
        ],
      },
    ],
    advice: () =>
      'let the runner reach the host over HTTPS: through HTTPS_PROXY, or in a VPC through endpoints for ecr.api, ecr.dkr and S3',
  },
  {
    title: "a failure of the registry's own",
    signs: [
      {
        codes: [
          'Server',
          'RequestTimeout',
          'InternalFailure',
          'InternalServerError',
          'InternalServer',
          'ServiceUnavailable',
        ],
      },
      { status: [408, 425, 500, 502, 503, 504] },
    ],
    advice: ({ refuser }) =>
      refuser === 'other'
        ? 'run the job again later'
        : 'run the job again later; https://health.aws.amazon.com tells of outages',
  },
  {
    title: "an answer that is not the API's",
    signs: [{ codes: ['SyntaxError'] }],
    advice: () =>
      'run the job again; if it stays so, see what stands between the runner and the API: HTTPS_PROXY, AWS_ENDPOINT_URL_ECR',
  },
  {
    title: 'a call that arrived damaged',
    signs: [{ codes: ['Serialization'] }],
    advice: () => 'run the job again; if it stays so, something on the way changes the requests',
  },
  {
    title: 'a redirect that cannot be followed',
    signs: [{ status: [301, 302, 303, 307, 308] }],
    advice: ({ host, where }) =>
      `name the address that answers itself, in place of ${host ?? where.name}: only what is read may come from elsewhere, and credentials go nowhere else`,
  },
  {
    title: 'a certificate that is not trusted',
    signs: [
      {
        codes: [
          ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
          ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
        ],
      },
    ],
    advice: () => 'name the certificate authority of the proxy before it in NODE_EXTRA_CA_CERTS',
  },
];

function hostAdvice({ region, where: { place } }: Failure): string {
  if (place?.kind !== 'private') return 'check the name of the host in "destinations" and "source"';
  const wanted = [
    ...(place.fips ? ['FIPS endpoints ("use-fips-endpoint")'] : []),
    ...(place.dualStack ? ['dual-stack endpoints ("use-dualstack-endpoint")'] : []),
  ];
  return wanted.length > 0
    ? `see whether ECR has ${wanted.join(' and ')} in ${region}, and do not ask for them if not`
    : `see whether ECR is in ${region}, and whether the runner's name server knows it`;
}
