import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Emulator } from '../../emulator/emulator.ts';
import type { Held } from '../../emulator/state/contents.ts';
import { type Digest, digestOf } from '../../src/image/digest.ts';
import { blobsOf, childrenOf } from '../../src/image/manifest.ts';
import type { Outcome } from '../../src/modes/services.ts';
import { Problems } from '../../src/problems.ts';
import { isDone, type Result } from '../../src/release/result.ts';
import { nameOfRegion, OLD, REPOSITORY, TAG } from './release.ts';
import type { World } from './world.ts';

/** How a step ended: with results, or with an error. */
export type Ending = { readonly outcome: Outcome } | { readonly error: unknown };

/**
 * What became of the release, as a user sees it:
 * - `R`, released: the tag shows it in every region;
 * - `S`, stopped: no region was begun with;
 * - `H`, held back: it failed somewhere, and the tag shows everywhere what it showed before;
 * - `V`, not verified: the tag shows it everywhere, and of some regions it is said that this could not be seen;
 * - `U`, undone in part: regions that still show it are named, for their tag could not be put back.
 */
export type Letter = 'R' | 'S' | 'H' | 'V' | 'U' | '?';

/** What the tag shows in each region, as results name it. */
export type Shown = ReadonlyMap<string, Digest | undefined>;

export function shownIn(emulator: Emulator, regions: readonly string[]): Shown {
  return new Map(regions.map((region) => [nameOfRegion(region), heldIn(emulator, region)?.tags.get(TAG)]));
}

/** Nothing where the repository is missing. */
function heldIn(emulator: Pick<Emulator, 'look'>, region: string): Held | undefined {
  try {
    return emulator.look(region, REPOSITORY);
  } catch {
    return undefined;
  }
}

/** @param before what the tag showed */
export function letterOf(ending: Ending, shown: Shown, before: Digest | undefined): Letter {
  const changed = [...shown.values()].filter((digest) => digest !== before);
  if ('error' in ending) return changed.length === 0 ? 'S' : '?';
  const { results, digest } = ending.outcome;
  if (changed.some((each) => each !== digest)) return '?';
  const done = results.every(isDone);
  if (changed.length === shown.size) return done ? 'R' : 'V';
  if (done) return '?';
  return changed.length === 0 ? 'H' : 'U';
}

/** What is wrong with how a step ended, beside what became of the release. */
export async function complaintsAbout(
  world: World,
  ending: Ending,
  shown: Shown,
  before: Digest | undefined,
): Promise<string[]> {
  const { emulator, elsewhere } = world;
  const broken = await Promise.all(world.powers.regions.map((region) => brokenIn(emulator, region)));
  return [
    ...broken.flat(),
    ...('outcome' in ending ? untrue(ending.outcome.results, shown, before) : begun(emulator)),
    ...wordless(ending),
    ...elsewhere.leaked.map((what) => `credentials went elsewhere: ${what}`),
    ...emulator.requests
      .filter(({ path, authorized }) => path.startsWith('/_s3/') && authorized)
      .map(({ method, path }) => `credentials went to the storage: ${method} ${path}`),
  ];
}

/** Where a tag that is kept was not. */
export function unmoved(emulator: Pick<Emulator, 'look'>, regions: readonly string[]): string[] {
  return regions.flatMap((region) => {
    const now = heldIn(emulator, region)?.tags.get(TAG);
    return now === OLD.root.digest ? [] : [`${region} shows ${now}, and was to keep what it shows`];
  });
}

/** Tags beside the release's that did not move where that did, or moved where that did not, and of which it is not said. */
export function apart(
  emulator: Pick<Emulator, 'look'>,
  regions: readonly string[],
  beside: readonly string[],
  ending: Ending,
): string[] {
  const results = 'outcome' in ending ? ending.outcome.results : [];
  return regions.flatMap((region) => {
    const tags = heldIn(emulator, region)?.tags;
    const { uncertain = [] } = results.find(({ destination }) => destination === nameOfRegion(region)) ?? {};
    const isReleased = tags?.get(TAG) !== OLD.root.digest;
    return beside
      .filter((tag) => tags?.has(tag) !== isReleased && !uncertain.includes(tag) && !uncertain.includes(TAG))
      .map((tag) => `${region}: ${tag} did not move with ${TAG}`);
  });
}

/** What was written to repositories by a step that says it was stopped before. */
function begun({ requests }: Emulator): string[] {
  const writes = requests.filter(
    ({ method, path }) => path.startsWith('/v2/') && !/^(GET|HEAD)$/.test(method),
  );
  return writes.map(({ region, method, path }) => `it was begun with: ${region}: ${method} ${path}`);
}

/** What of that which tags show is missing, or wrong. */
export async function brokenIn(emulator: Pick<Emulator, 'look'>, region: string): Promise<string[]> {
  const held = heldIn(emulator, region);
  const missing: string[] = [];
  const visit = async (digest: Digest): Promise<void> => {
    const manifest = held?.manifests.get(digest);
    if (!manifest) return void missing.push(`${region} lacks the manifest ${digest}`);
    if (digestOf(manifest.bytes) !== digest) missing.push(`${region} has other bytes under ${digest}`);
    for (const blob of blobsOf(manifest)) {
      const bytes = await held?.blob(blob.digest);
      if (!bytes) missing.push(`${region} lacks the blob ${blob.digest}`);
      else if (digestOf(bytes) !== blob.digest) missing.push(`${region} has a wrong blob ${blob.digest}`);
    }
    for (const child of childrenOf(manifest)) await visit(child.digest);
  };
  for (const digest of held?.tags.values() ?? []) await visit(digest);
  return missing;
}

/** What results say that is not so, or do not say at all. */
export function untrue(results: readonly Result[], shown: Shown, before: Digest | undefined): string[] {
  const untold = [...shown.keys()].filter((name) => results.every(({ destination }) => destination !== name));
  const wrong = results.flatMap(({ destination, state, digest, tags, error = '' }) => {
    // One that keeps its image is looked at by itself.
    if (!shown.has(destination)) return [];
    const now = shown.get(destination);
    const told = tags[TAG];
    if (told !== undefined && told !== now)
      return [`${destination} is said to show ${told}, and shows ${now}`];
    if (state === 'held back')
      return now === before ? [] : [`${destination} is said to be held back, and shows ${now}`];
    if (state !== 'failed')
      return now === digest ? [] : [`${destination} is said to be ${state}, and shows ${now}`];
    const others = results.some((each) => shown.get(each.destination) === before);
    const isTold = now === before || !others || /could not be put back/.test(error);
    return isTold ? [] : [`${destination} shows the new image among old ones, and it is not said: ${error}`];
  });
  return [...untold.map((name) => `nothing is said of ${name}`), ...wrong];
}

/** What an error has to say, and does not. */
export function wordless(ending: Ending): string[] {
  const errors =
    'error' in ending
      ? problemsOf(ending.error)
      : ending.outcome.results.filter(({ state }) => state === 'failed').map(({ error = '' }) => error);
  return errors.flatMap((error) => {
    // The same wherever it happens.
    if (/^the disk that RUNNER_TEMP is on is full/.test(error)) return [];
    const lacks = [
      ...(/ap-south-1|us-east-1|eu-west-1|sa-east-1|public\.ecr\.aws/.test(error) ? [] : ['the region']),
      ...(/team\/app|upstream\/app/.test(error) ? [] : ['the repository']),
      ...(/\b(?:GET|HEAD|PUT|POST|DELETE|[A-Z]\w+ at) https?:/.test(error) ? [] : ['the request']),
      ...(/\(.+\)$|; .+$/s.test(error) ? [] : ['any advice']),
    ];
    return lacks.length > 0 ? [`"${error}" does not tell ${lacks.join(', ')}`] : [];
  });
}

function problemsOf(error: unknown): readonly string[] {
  return error instanceof Problems ? error.problems : [String(error)];
}

/** How long the last of a step may take to be gone, in milliseconds. */
const GONE = 3_000;

/** What is left of a step that has ended: half a blob, an open file, a connection, its folder. */
export async function leftOf({
  emulator,
  dir,
  leave,
}: Pick<World, 'dir' | 'leave'> & { emulator: Pick<Emulator, 'connections'> }): Promise<string[]> {
  await leave();
  const deadline = performance.now() + GONE;
  for (;;) {
    const connections = await emulator.connections();
    const left = [
      ...(connections > 0 ? [`${connections} connections are open`] : []),
      ...(await openFilesBelow(dir)),
      ...(await readdir(dir).catch(() => [])).map((name) => `${name} is left in the step's folder`),
    ];
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(20);
  }
}

/** Where the system tells. */
async function openFilesBelow(dir: string): Promise<string[]> {
  const links = await readdir('/proc/self/fd').catch(() => []);
  const targets = await Promise.all(
    links.map((link) => readlink(join('/proc/self/fd', link)).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(dir)).map((target) => `${target} is open`);
}
