import type { InputReader } from './reader.ts';

/** Inputs that not every step reads. */
interface Group {
  /** What to write for one of them to be read. */
  readonly readBy: string;
  /** Their defaults in action.yml. */
  readonly defaults: Readonly<Record<string, string>>;
}

/**
 * The runner fills defaults in, so that what is as by default may not have been given. Those that are expressions
 * ("regions", "platforms", "github-token") may be anything, and are not here.
 */
const GROUPS: readonly Group[] = [
  {
    readBy: 'a mode that publishes',
    defaults: {
      ...emptyByDefault(
        'repository',
        'account-id',
        'destinations',
        'tags',
        'registry-endpoint',
        'mount-from',
      ),
      ...emptyByDefault('role-to-assume', 'role-external-id', 'role-duration-seconds'),
      ...emptyByDefault('use-fips-endpoint', 'use-dualstack-endpoint'),
      ...emptyByDefault('repository-settings', 'timeout', 'region-timeout'),
      'role-session-name': 'ecr-multiarch',
      audience: 'sts.amazonaws.com',
      'create-repository': 'false',
      'if-tag-exists': 'fail',
      'on-region-failure': 'abort',
      push: 'true',
    },
  },
  { readBy: '"mode: plan"', defaults: { runners: '', 'share-runners': 'false' } },
  { readBy: '"mode: build"', defaults: { 'oci-layout': '' } },
  {
    readBy: '"mode: build" or "mode: stitch"',
    defaults: { legs: 'artifact', 'platform-tags': '' },
  },
  {
    readBy: '"mode: stitch", or "mode: build" without "oci-layout"',
    defaults: { annotations: '' },
  },
  {
    readBy: '"mode: build" without "oci-layout"',
    defaults: {
      context: '.',
      ...emptyByDefault('file', 'target', 'builder', 'base-registries', 'provenance', 'sbom', 'attests'),
      ...emptyByDefault('build-args', 'build-contexts', 'labels', 'cache-from', 'cache-to'),
      ...emptyByDefault('secrets', 'secret-envs', 'secret-files', 'ssh', 'no-cache-filters', 'add-hosts'),
      ...emptyByDefault('allow', 'network', 'shm-size', 'ulimit', 'cgroup-parent'),
      transport: 'auto',
      pull: 'false',
      'no-cache': 'false',
    },
  },
  { readBy: '"mode: mirror"', defaults: { source: '', referrers: 'false' } },
];

function emptyByDefault(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, '']));
}

/**
 * Refuses what a step was given beside what it has read: somebody meant something by it.
 * @param step how the step is written
 */
export function refuseUnread(reader: InputReader, step: string): void {
  for (const { readBy, defaults } of GROUPS) {
    for (const [name, fallback] of Object.entries(defaults)) {
      const text = reader.unread(name);
      // YAML's booleans are written in capitals, too.
      if (text === '' || text.toLowerCase() === fallback) continue;
      reader.refuseWhole(name, text, `${step} does not read it: leave it out, or write ${readBy}`);
    }
  }
}
