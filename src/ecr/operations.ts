/**
 * How many requests of each kind an account has in a region, per second: what every registry has before AWS is asked for
 * more. All workflows of the account share them.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
 */
export const QUOTAS = {
  GetAuthorizationToken: 500,
  BatchCheckLayerAvailability: 1_000,
  InitiateLayerUpload: 100,
  UploadLayerPart: 500,
  CompleteLayerUpload: 100,
  PutImage: 10,
  BatchGetImage: 2_000,
  GetDownloadUrlForLayer: 3_000,
} as const;

/** An operation of ECR's API that has a quota of its own. */
export type PacedOperation = keyof typeof QUOTAS;

/** A request of the distribution API, and the operations of ECR's API that it counts as. */
interface Rule {
  readonly methods: readonly string[];
  readonly path: RegExp;
  readonly operations: readonly PacedOperation[];
}

const RULES: readonly Rule[] = [
  { methods: ['POST'], path: /\/blobs\/uploads\/$/, operations: ['InitiateLayerUpload'] },
  {
    methods: ['PUT'],
    path: /\/blobs\/uploads\/[^/]+$/,
    operations: ['UploadLayerPart', 'CompleteLayerUpload'],
  },
  { methods: ['PUT'], path: /\/manifests\/[^/]+$/, operations: ['PutImage'] },
  { methods: ['GET', 'HEAD'], path: /\/manifests\/[^/]+$/, operations: ['BatchGetImage'] },
  // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html
  { methods: ['GET'], path: /\/referrers\/[^/]+$/, operations: ['BatchGetImage'] },
  { methods: ['HEAD'], path: /\/blobs\/[^/]+$/, operations: ['BatchCheckLayerAvailability'] },
  { methods: ['GET'], path: /\/blobs\/[^/]+$/, operations: ['GetDownloadUrlForLayer'] },
];

/**
 * The operations of ECR's API that a request of the distribution API is, which is what quotas and policies count.
 * @returns none for a request that has no quota
 */
export function operationsOf(method: string, { pathname }: URL): readonly PacedOperation[] {
  const rule = RULES.find(({ methods, path }) => methods.includes(method) && path.test(pathname));
  return rule?.operations ?? [];
}
