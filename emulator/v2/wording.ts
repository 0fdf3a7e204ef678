import { Refusal } from '../../src/distribution/server/refusal.ts';
import type { Behaviour } from '../behaviour.ts';
import { EcrError } from '../errors.ts';

/** The refusal of a manifest as /v2/ puts it, where it is not known for sure how ECR does. */
export function wordedForV2(
  error: unknown,
  { missingLayer, missingChild }: Pick<Behaviour, 'missingLayer' | 'missingChild'>,
): unknown {
  if (!(error instanceof EcrError)) return error;
  const { exception, message } = error;
  if (exception === 'LayersNotFoundException' && missingLayer === 'MANIFEST_BLOB_UNKNOWN') {
    return new Refusal(400, missingLayer, message);
  }
  return exception === 'ReferencedImagesNotFoundException'
    ? new Refusal(missingChild, error.code, message)
    : error;
}
