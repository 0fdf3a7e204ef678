import type { Digest } from '../image/digest.ts';
import { describe } from '../image/manifest.ts';
import { type ReleasePlan, releasedBy } from './plan.ts';
import { allSettledOrThrow, type Replica } from './replicate.ts';

/**
 * Copies all that stands below what is released. All manifests are looked at before the first upload.
 * @throws ManifestRefusedError when the destination would not take one of them
 */
export async function copyBelowReleased(plan: ReleasePlan, replica: Replica): Promise<void> {
  const released = releasedBy(plan);
  for (const manifest of released) replica.ask(manifest);
  await replica.examine(released.map(describe));
  await allSettledOrThrow(released.map((manifest) => replica.copyBelow(describe(manifest))));
}

/** Copies what is released itself. What refers to another manifest comes after it, as a registry may want it. */
export async function copyReleased(plan: ReleasePlan, replica: Replica): Promise<void> {
  const copies = new Map<Digest, Promise<void>>();
  for (const manifest of releasedBy(plan)) {
    const subject = manifest.subject && copies.get(manifest.subject.digest);
    const copy = () => replica.copy(describe(manifest));
    copies.set(manifest.digest, subject ? subject.then(copy) : copy());
  }
  await allSettledOrThrow([...copies.values()]);
}
