import { isCompanion } from '../../src/image/descriptor.ts';
import type { Graph } from '../support/images.ts';

/** What BuildKit says on standard error while it exports a graph, up to where it begins to push. */
export function exportLog({ root, manifests }: Graph): string[] {
  const attestations = new Set<string>(
    root.kind === 'index' ? root.manifests.filter(isCompanion).map(({ digest }) => digest) : [],
  );
  const made = [...manifests.values()].flatMap((manifest) => {
    if (manifest.kind === 'index') return [];
    if (attestations.has(manifest.digest)) {
      return [
        `exporting attestation manifest ${manifest.digest}`,
        `exporting attestation manifest ${manifest.digest} 0.1s done`,
      ];
    }
    return [`exporting manifest ${manifest.digest} done`, `exporting config ${manifest.config.digest} done`];
  });
  const list = root.kind === 'index' ? [`exporting manifest list ${root.digest} done`] : [];
  return ['exporting to image', 'exporting layers done', ...made, ...list, 'pushing layers'].map(
    (line) => `#39 ${line}`,
  );
}
