import { Readable } from 'node:stream';
import * as z from 'zod/mini';
import { digestSchema, isDigest } from '../../src/image/digest.ts';
import { PART_SIZE } from '../behaviour.ts';
import { EcrError, layersNotFound } from '../errors.ts';
import type { Repository } from '../state/repository.ts';
import type { LayerUpload } from '../state/upload.ts';
import { type Call, inRepository, type Operation, operation, registryOf } from './call.ts';

const availabilitySchema = z.object({
  ...inRepository,
  layerDigests: z
    .array(z.string())
    .check(z.minLength(1), z.maxLength(100, 'Member must have length less than or equal to 100')),
});

function checkAvailability(input: z.infer<typeof availabilitySchema>, call: Call): unknown {
  const repository = registryOf(input, call).repository(input.repositoryName);
  const answers = [...new Set(input.layerDigests)].map((digest) => availability(digest, repository));
  return {
    layers: answers.filter((each) => 'layerAvailability' in each),
    failures: answers.filter((each) => 'failureCode' in each),
  };
}

function availability(layerDigest: string, repository: Repository): Record<string, unknown> {
  if (!isDigest(layerDigest)) {
    return { layerDigest, failureCode: 'InvalidLayerDigest', failureReason: 'Invalid layer digest' };
  }
  const layerSize = repository.layerSize(layerDigest);
  if (layerSize !== undefined) {
    const mediaType = repository.layerType(layerDigest);
    return { layerDigest, layerAvailability: 'AVAILABLE', layerSize, ...(mediaType && { mediaType }) };
  }
  if (repository.world.behaviour.absentLayers === 'layers')
    return { layerDigest, layerAvailability: 'UNAVAILABLE' };
  return { layerDigest, failureCode: 'MissingLayerDigest', failureReason: 'Requested layer not found' };
}

const uploadFields = { ...inRepository, uploadId: z.string().check(z.minLength(1)) };
const partSchema = z.object({
  ...uploadFields,
  partFirstByte: z.int(),
  partLastByte: z.int(),
  layerPartBlob: z.base64('must be base64'),
});
const completeSchema = z.object({
  ...uploadFields,
  layerDigests: z.array(digestSchema).check(z.minLength(1), z.maxLength(100)),
});

function openUpload(repository: Repository, uploadId: string): LayerUpload {
  const upload = repository.upload(uploadId);
  if (upload) return upload;
  throw new EcrError(
    'UploadNotFoundException',
    `The upload with id '${uploadId}' in the repository with name '${repository.name}' in the registry with id '${repository.account}' does not exist`,
  );
}

function ids(repository: Repository, upload: LayerUpload): Record<string, string> {
  return { registryId: repository.account, repositoryName: repository.name, uploadId: upload.id };
}

async function uploadPart(input: z.infer<typeof partSchema>, call: Call): Promise<unknown> {
  const repository = registryOf(input, call).repository(input.repositoryName);
  const upload = openUpload(repository, input.uploadId);
  const bytes = Buffer.from(input.layerPartBlob, 'base64');
  const { partFirstByte, partLastByte } = input;
  if (partFirstByte !== upload.received || partLastByte - partFirstByte + 1 !== bytes.length) {
    const lastValidByteReceived = upload.received - 1;
    throw new EcrError(
      'InvalidLayerPartException',
      `Layer part '${partFirstByte}-${partLastByte}' does not follow the last byte received, ${lastValidByteReceived}`,
      { ...ids(repository, upload), lastValidByteReceived },
    );
  }
  await upload.append(Readable.from([bytes]));
  return { ...ids(repository, upload), lastByteReceived: upload.received - 1 };
}

async function completeUpload(input: z.infer<typeof completeSchema>, call: Call): Promise<unknown> {
  const repository = registryOf(input, call).repository(input.repositoryName);
  const upload = openUpload(repository, input.uploadId);
  const [layerDigest] = input.layerDigests;
  if (!layerDigest) throw new EcrError('InvalidLayerException', 'The layer has no digest');
  if (repository.layerSize(layerDigest) !== undefined) {
    await upload.abort();
    throw new EcrError(
      'LayerAlreadyExistsException',
      `The layer with digest '${layerDigest}' already exists in the repository with name '${repository.name}'`,
    );
  }
  try {
    await upload.commit(layerDigest);
  } catch (error) {
    await upload.abort();
    throw error;
  }
  return { ...ids(repository, upload), layerDigest };
}

export const LAYER_OPERATIONS: Readonly<Record<string, Operation>> = {
  BatchCheckLayerAvailability: operation(availabilitySchema, checkAvailability),
  InitiateLayerUpload: operation(z.object(inRepository), async (input, call) => {
    const upload = await registryOf(input, call).repository(input.repositoryName).beginUpload();
    return { uploadId: upload.id, partSize: PART_SIZE };
  }),
  UploadLayerPart: operation(partSchema, uploadPart),
  CompleteLayerUpload: operation(completeSchema, completeUpload),
  GetDownloadUrlForLayer: operation(
    z.object({ ...inRepository, layerDigest: digestSchema }),
    (input, call) => {
      const registry = registryOf(input, call);
      const repository = registry.repository(input.repositoryName);
      if (repository.layerSize(input.layerDigest) === undefined)
        throw layersNotFound([input.layerDigest], repository);
      return {
        downloadUrl: call.service.presign(input.layerDigest, registry),
        layerDigest: input.layerDigest,
      };
    },
  ),
};
