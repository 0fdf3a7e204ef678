import type { Refusal } from './refusal.ts';

/** What is wrong with a source, which is only read from: none of it has to do with the jobs of the run, or with destinations. */
export const SOURCE_REFUSALS: readonly Refusal[] = [
  {
    title: 'a source that is missing in ECR',
    signs: [{ codes: ['NAME_UNKNOWN', 'RepositoryNotFound'], by: ['private', 'public'] }],
    advice: () => 'check the name of the source, its account and its region',
  },
  {
    title: 'a source that is nothing to be copied',
    signs: [{ codes: ['ManifestError'] }],
    advice: () => 'name another tag or digest in "source", or have it built and pushed anew',
  },
  {
    title: 'a source that is not whole',
    signs: [
      {
        codes: [
          'MissingContentError',
          'BLOB_UNKNOWN',
          'MANIFEST_UNKNOWN',
          'ImageNotFound',
          'LayersNotFound',
          'LayerInaccessible',
        ],
      },
      { status: [404], said: /^$/ },
    ],
    advice: () => 'the source is not whole: have it pushed anew, or name another tag or digest in "source"',
  },
  {
    title: 'a source that is damaged',
    signs: [{ codes: ['ContentError'] }],
    advice: () =>
      'run the job again; if it stays so, the source is damaged, or something before it changes the bytes: have it pushed anew',
  },
];
