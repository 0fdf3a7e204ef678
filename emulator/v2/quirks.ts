import type { Quirks } from '../../src/distribution/server/backend.ts';
import { type Behaviour, PART_SIZE } from '../behaviour.ts';

/** Where /v2/ departs from the distribution specification. */
export function quirksOf(behaviour: Behaviour): Quirks {
  const {
    digestOnGet,
    uploadStatus,
    maxTagPage,
    defaultTagPage,
    opaqueTagCursor,
    absoluteLocation,
    referrersPage,
  } = behaviour;
  return {
    digestOnGet,
    uploadStatus,
    maxTagPage,
    defaultTagPage,
    opaqueTagCursor,
    referrersPage,
    absoluteLocation,
    ...(behaviour.uploads === 'ecr' ? { patchStatus: 201, firstPart: PART_SIZE } : { patchStatus: 202 }),
  };
}
