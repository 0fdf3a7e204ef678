import { Readable } from 'node:stream';
import type { Repository } from '../distribution/repository.ts';
import { adviceOnSource } from '../ecr/explain.ts';
import { PrivateRegistries } from '../ecr/privateRegistries.ts';
import { mountable, openSource } from '../ecr/sources.ts';
import { describe, type Manifest } from '../image/manifest.ts';
import { formatReference, type Reference } from '../image/reference.ts';
import type { MirrorInputs } from '../inputs/inputs.ts';
import type { Target } from '../inputs/target.ts';
import { allOrProblems, Problems } from '../problems.ts';
import type { Source } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import { graphBytes, readGraph } from '../release/graph.ts';
import type { Referrers } from '../release/referrers.ts';
import { repositorySource } from '../release/registry.ts';
import type { Spool } from '../release/spool.ts';
import { openSpool, publishEverywhere, replicasOf } from './publishing.ts';
import { countOf, referrersOf } from './referrers.ts';
import { type Selection, selectPlatforms } from './selection.ts';
import {
  assertReplaceable,
  createMissing,
  type Outcome,
  openingTitle,
  openTarget,
  type Services,
} from './services.ts';

/**
 * Copies an image whole, byte for byte, from any registry into every region.
 * @throws Problems when the source has no such image or lacks a platform; nothing has been pushed then
 */
export async function runMirror(inputs: MirrorInputs, services: Services): Promise<Outcome> {
  const startedAt = Date.now();
  const { tags } = inputs;
  const target = {
    ...inputs.target,
    mountFrom: [...new Set([...inputs.target.mountFrom, ...mountable(inputs.source)])],
  };
  const registries = new PrivateRegistries(services);
  const [opened, { source, found, repository }] = await services.log.group(
    `${openingTitle(target)}, and reading the source`,
    () =>
      allOrProblems([
        openTarget(target, tags, services, { registries }),
        readSource(inputs.source, target, registries, services),
      ]),
  );
  const spool = openSpool(services, source);
  const { root, platforms, referrers } = await services.log.during(
    () => `reading ${formatReference(inputs.source)}`,
    () => select(found, inputs, repository, spool, services),
  );
  assertReplaceable(target, opened.destinations, [...(referrers?.tagged.keys() ?? [])]);
  await createMissing(opened, services);
  const { destinations } = opened;
  const replicas = replicasOf(destinations, spool, services);
  const outcome = await publishEverywhere(
    {
      root,
      target,
      opened,
      platforms,
      tags,
      ...(referrers && { beside: referrers.tagged, referrers: referrers.manifests }),
      replicas,
      countBytes: async () => {
        // Where nothing was copied, our own registry is asked rather than the source, which counts each reading.
        const nearest = replicas.some(({ changed }) => changed) ? spool : (destinations[0] ?? spool);
        return (await graphBytes(describe(root), nearest)) + (referrers?.bytes ?? 0);
      },
      // Manifests alone: to read the layers would be to copy them.
      read: () => readingFrom(inputs.source, async () => (await readGraph(describe(root), spool)).manifests),
      startedAt,
      metadata: new TextDecoder().decode(root.bytes),
    },
    services,
  );
  return referrers ? { ...outcome, referrers: countOf(referrers) } : outcome;
}

/** What is released of the source, and what refers to it, if that was asked for. */
async function select(
  found: Manifest,
  inputs: MirrorInputs,
  repository: Repository,
  spool: Spool,
  services: Services,
): Promise<Selection & { readonly referrers: Referrers | undefined }> {
  const { source: reference } = inputs;
  const selection = await readingFrom(reference, () => selectPlatforms(found, inputs, spool, services.log));
  const { root } = selection;
  spool.keep(root);
  const referrers = inputs.referrers
    ? await referrersOf({ root, found, reference }, repository, spool, services)
    : undefined;
  return { ...selection, referrers };
}

async function readSource(
  reference: Reference,
  target: Target,
  registries: PrivateRegistries,
  services: Services,
): Promise<{ source: Source; found: Manifest; repository: Repository }> {
  const { registry, digest, tag } = reference;
  const name = formatReference(reference);
  const { registryEndpoint } = target;
  const { apiOverridden } = services.run;
  return readingFrom(reference, async () => {
    const repository = await openSource(reference, { registryEndpoint, apiOverridden }, registries, services);
    const found = await repository.readManifest(digest ?? tag ?? 'latest');
    if (!found) throw new Problems([`input "source": ${registry} has no image ${name}`]);
    return { source: worded(repositorySource(registry, repository), reference), found, repository };
  });
}

/** A source whose failures name it wherever they are told: it is no region's fault that it cannot be read. */
function worded(source: Source, reference: Reference): Source {
  return {
    name: source.name,
    manifest: (descriptor) => readingFrom(reference, () => source.manifest(descriptor)),
    async blob(descriptor) {
      const content = await readingFrom(reference, () => source.blob(descriptor));
      const told = Readable.from(wordedContent(content, reference), { objectMode: false });
      // What nobody has begun to read is not ended by the end of its reader.
      return told.once('close', () => content.destroy());
    },
  };
}

async function* wordedContent(content: Readable, reference: Reference): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (error) {
    throw unreadable(error, reference);
  }
}

/** @throws Problems that name the source, where it could not be read */
async function readingFrom<T>(reference: Reference, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw unreadable(error, reference);
  }
}

function unreadable(error: unknown, reference: Reference): Problems {
  if (error instanceof Problems) return error;
  const advice = adviceOnSource(error, reference) ?? ACCESS_ADVICE;
  return new Problems(
    [`input "source": ${formatReference(reference)} cannot be read: ${toError(error).message}; ${advice}`],
    { cause: error },
  );
}

const ACCESS_ADVICE =
  'check the name, and that this job may read it: log in with docker/login-action, or, for ECR, allow its role to';
