import type { Platform } from '../image/platform.ts';
import type { Target } from './target.ts';

/** What all modes that publish need. */
export interface CommonInputs {
  readonly target: Target;
  readonly platforms: readonly Platform[];
  readonly tags: readonly string[];
}
