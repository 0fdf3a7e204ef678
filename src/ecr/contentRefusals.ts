import type { Failure } from './failure.ts';
import { QUOTAS } from './operations.ts';
import type { Refusal } from './refusal.ts';

/** What is wrong with repositories, images and quotas. */
export const CONTENT_REFUSALS: readonly Refusal[] = [
  {
    title: 'too many requests to another registry',
    signs: [{ status: [429], by: ['other'] }],
    advice: ({ host, where }) =>
      `log in with docker/login-action to ${host ?? where.name}, which gives more to those it knows, or run the job later`,
  },
  {
    title: 'too many requests',
    signs: [
      { codes: ['TOOMANYREQUESTS', 'Throttling', 'TooManyRequests', 'RequestLimitExceeded', 'SlowDown'] },
      { status: [429] },
    ],
    advice: usedUp,
  },
  {
    title: 'too many tags on one image',
    signs: [{ said: /maximum (?:allowed )?(?:number )?of (?:\d+ )?tags/ }],
    advice: () =>
      'remove tags of this image: the quota "Tags per image" is 1,000, and AWS raises it for nobody',
  },
  {
    title: 'too many images in the repository',
    signs: [{ said: /maximum (?:allowed )?(?:number )?of (?:\d+ )?images/ }],
    advice: () =>
      'remove images, by a lifecycle policy for example, or have the quota "Images per repository" raised (100,000 by default)',
  },
  {
    title: 'too many repositories',
    signs: [{ said: /maximum (?:allowed )?(?:number )?of (?:\d+ )?repositories/ }],
    advice: ({ region }) =>
      `remove repositories, or have the quota "Registered repositories" of the account in ${region} raised (100,000 by default)`,
  },
  {
    title: 'a layer that is too large',
    signs: [{ status: [413] }, { said: /\blayer\b.*(?:exceeds|too large)/i }],
    advice: () =>
      'make the layer smaller (ECR\'s quota "Maximum layer size" is 52,000 MiB), or have the proxy before ECR let larger requests through',
  },
  {
    title: 'another limit',
    signs: [{ codes: ['LimitExceeded'] }],
    advice: ({ region }) =>
      `have that quota of the account raised in Service Quotas, for Amazon ECR in ${region}`,
  },
  {
    title: 'too many tags on the repository',
    signs: [{ codes: ['TooManyTags'] }],
    advice: () => 'name no more than 50 "tags" in "repository-settings"',
  },
  {
    title: 'an empty layer',
    signs: [{ codes: ['EmptyUpload'] }, { codes: ['BLOB_UPLOAD_INVALID'], said: /layer parts|empty/i }],
    advice: () => 'rebuild the image with compressed layers: ECR takes no blob of 0 bytes',
  },
  {
    title: 'no such repository elsewhere',
    signs: [{ codes: ['NAME_UNKNOWN'], by: ['other'] }],
    advice: ({ host, where }) =>
      `check the name, and log in with docker/login-action to ${host ?? where.name} if the repository is private`,
  },
  {
    title: 'no such repository',
    signs: [{ codes: ['NAME_UNKNOWN', 'RepositoryNotFound'] }],
    advice: ({ region }) => `create the repository in ${region}, or set "create-repository: true"`,
  },
  {
    title: 'a name that ECR does not take',
    signs: [
      { codes: ['NAME_INVALID'] },
      { codes: ['UNSUPPORTED', 'InvalidParameter'], said: /'repositoryName'/ },
    ],
    advice: () => 'write "repository" in lower case letters, digits and "._-/", 2 to 256 of them',
  },
  {
    title: 'a tag that ECR does not take',
    signs: [{ codes: ['UNSUPPORTED', 'InvalidParameter'], said: /'imageTag'/ }],
    advice: () =>
      'write tags of letters, digits and "_.-", 300 of them at most, that do not begin with "." or "-"',
  },
  {
    title: 'a tag that is immutable',
    signs: [{ codes: ['TAG_INVALID', 'ImageTagAlreadyExists'] }],
    advice: () =>
      'the tag is immutable and shows another image: publish under a new tag, set "if-tag-exists: keep", or make the repository\'s tags mutable',
  },
  {
    title: 'images of the index that are missing',
    signs: [{ codes: ['MANIFEST_BLOB_UNKNOWN', 'ReferencedImagesNotFound'] }],
    advice: () =>
      'run the build jobs again, and see whether a lifecycle policy or another job removes untagged images meanwhile',
  },
  {
    title: 'layers that are missing',
    signs: [
      {
        codes: [
          'BLOB_UPLOAD_UNKNOWN',
          'BLOB_UNKNOWN',
          'LayersNotFound',
          'UploadNotFound',
          'LayerInaccessible',
        ],
      },
    ],
    advice: () =>
      'run the job again: ECR does not see layers that it has taken, or an upload that it has begun',
  },
  {
    title: 'an image that is missing',
    signs: [{ codes: ['MANIFEST_UNKNOWN', 'ImageNotFound'] }],
    advice: () =>
      'run the build jobs again, and see whether a lifecycle policy or another job removes images meanwhile',
  },
  {
    title: 'bytes that are not those of the digest',
    signs: [{ codes: ['DIGEST_INVALID', 'InvalidLayer', 'ImageDigestDoesNotMatch', 'ContentError'] }],
    advice: () =>
      'run the job again; if it stays so, something on the way changes the bytes, or the source is damaged',
  },
  {
    title: 'a layer that arrived damaged',
    signs: [{ codes: ['BLOB_UPLOAD_INVALID', 'InvalidLayerPart', 'LayerPartTooSmall'] }],
    advice: () => 'run the job again; if it stays so, something on the way changes or cuts the bytes',
  },
  {
    title: 'repository settings that ECR does not take',
    signs: [
      {
        codes: ['InvalidParameter', 'InvalidTagParameter'],
        said: /lifecyclePolicy|policyText|repository policy|encryptionConfiguration|kmsKey|imageTagMutability|scan|tag key|tags/i,
      },
    ],
    advice: () => 'correct that setting in "repository-settings"',
  },
  {
    title: 'a manifest that ECR does not take',
    signs: [
      { codes: ['UNSUPPORTED', 'MANIFEST_INVALID', 'InvalidParameter'], said: /ImageManifest|manifest/i },
    ],
    advice: () =>
      'rebuild the image with a current builder: ECR takes no manifest with fields that it does not know, such as "platform.features", or without a "mediaType"',
  },
  {
    title: 'storage that is asked with two credentials',
    signs: [{ said: /Only one auth mechanism allowed/ }],
    advice: () =>
      'keep the proxy from adding an Authorization header to requests to S3: name the hosts of S3 in NO_PROXY',
  },
];

/** The quotas by the names that Service Quotas has for them. */
function usedUp({ operations, region, refuser }: Failure): string {
  const quotas = operations.map((operation) => {
    const most =
      refuser === 'private' ? `, ${QUOTAS[operation].toLocaleString('en')} a second by default` : '';
    return `"Rate of ${operation} requests"${most}`;
  });
  const which = quotas.length > 0 ? quotas.join('; ') : 'one of "Rate of ... requests"';
  return `a quota of the account in ${region} was used up (${which}): run fewer jobs at once, or have it raised in Service Quotas`;
}
