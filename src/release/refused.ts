import type { Digest } from '../image/digest.ts';

/** A manifest that a destination would not take, and every reason for that. */
export interface RefusedManifest {
  readonly digest: Digest;
  readonly reasons: readonly string[];
}

/** Manifests that a destination would refuse, which was found before any of them was written there. */
export class ManifestRefusedError extends Error {
  override readonly name = 'ManifestRefusedError';
  readonly refused: readonly RefusedManifest[];

  constructor(refused: readonly RefusedManifest[]) {
    const each = refused.map(({ digest, reasons }) => `${digest}: ${reasons.join('; ')}`);
    super(`the registry would refuse this image, so that it was not pushed there: ${each.join('; ')}`);
    this.refused = refused;
  }
}
