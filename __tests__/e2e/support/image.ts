import * as z from 'zod/mini';
import { readByCrane } from '../engines/readers.ts';

const indexSchema = z.object({
  mediaType: z.literal('application/vnd.oci.image.index.v1+json'),
  annotations: z.optional(z.record(z.string(), z.string())),
  manifests: z.array(
    z.object({
      digest: z.string(),
      platform: z.object({ os: z.string(), architecture: z.string() }),
      annotations: z.optional(z.record(z.string(), z.string())),
    }),
  ),
});

const attestationSchema = z.object({
  layers: z.array(z.object({ annotations: z.record(z.string(), z.string()) })),
});

/** An index as whoever pulls it reads it. */
export interface PulledIndex {
  readonly annotations: Readonly<Record<string, string>>;
  /** The digest of each image, by its platform. */
  readonly images: Readonly<Record<string, string>>;
  /** The types of the statements about each image, by its platform. */
  readonly attestations: Readonly<Record<string, readonly string[]>>;
}

/** Reads an index and what attests its images from a registry. */
export async function readIndex(reference: string, config: string): Promise<PulledIndex> {
  const index = z.parse(indexSchema, JSON.parse(await readByCrane('manifest', reference, config)));
  const name = reference.replace(/(@sha256)?:[^:/]+$/, '');
  const images: Record<string, string> = {};
  const attestations: Record<string, readonly string[]> = {};
  for (const { digest, platform, annotations } of index.manifests) {
    const label = `${platform.os}/${platform.architecture}`;
    if (label !== 'unknown/unknown') {
      images[label] = digest;
      continue;
    }
    const subject = annotations?.['vnd.docker.reference.digest'];
    const about = index.manifests.find((other) => other.digest === subject)?.platform;
    const manifest = JSON.parse(await readByCrane('manifest', `${name}@${digest}`, config));
    attestations[`${about?.os}/${about?.architecture}`] = z
      .parse(attestationSchema, manifest)
      .layers.map((layer) => layer.annotations['in-toto.io/predicate-type'] ?? '');
  }
  return { annotations: index.annotations ?? {}, images, attestations };
}

const resultsSchema = z.array(
  z.object({
    destination: z.string(),
    image: z.string(),
    state: z.string(),
    digest: z.string(),
    platforms: z.array(z.string()),
    sent: z.number(),
    reused: z.number(),
  }),
);

/** The output `results` of a step. */
export function parseResults(outputs: Readonly<Record<string, string>>): z.infer<typeof resultsSchema> {
  return z.parse(resultsSchema, JSON.parse(outputs.results ?? '[]'));
}
