import { createHash } from 'node:crypto';
import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/image/digest.ts';
import { absent, amd64, ecr, pushAll, repositoryName, restart } from './setup.ts';

const MIB = 1024 * 1024;

describe('layers', () => {
  async function upload(content: Buffer, partSize: number, digest = digestOf(content)) {
    const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
    for (let first = 0; first < content.length; first += partSize) {
      const layerPartBlob = content.subarray(first, first + partSize);
      const last = first + layerPartBlob.length - 1;
      const part = { repositoryName, uploadId, partFirstByte: first, partLastByte: last, layerPartBlob };
      const { lastByteReceived } = await ecr.send(new UploadLayerPartCommand(part));
      expect(lastByteReceived).toBe(last);
    }
    return ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] }));
  }

  test('are uploaded in parts, and downloaded from a presigned address', async () => {
    const content = Buffer.alloc(6 * MIB, 'some bytes');
    const { layerDigest } = await upload(content, 5 * MIB);
    expect(layerDigest).toBe(digestOf(content));
    const { downloadUrl } = await ecr.send(
      new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }),
    );
    const hash = createHash('sha256');
    for await (const chunk of (await fetch(downloadUrl ?? '')).body ?? []) hash.update(chunk);
    expect(`sha256:${hash.digest('hex')}`).toBe(layerDigest);
  });

  test.each([
    ['of another digest', Buffer.from('x'), 1, 'InvalidLayerException'],
    ['without a byte', Buffer.alloc(0), 1, 'EmptyUploadException'],
    ['in parts under 5 MiB', Buffer.from('xyz'), 2, 'LayerPartTooSmallException'],
  ])('%s are refused', async (title, content, partSize, name) => {
    const digest = title === 'of another digest' ? absent : digestOf(content);
    await expect(upload(content, partSize, digest)).rejects.toMatchObject({ name });
  });

  test('that are there already are refused, and so are parts out of order and unknown uploads', async () => {
    await upload(Buffer.from('x'), 1);
    await expect(upload(Buffer.from('x'), 1)).rejects.toMatchObject({ name: 'LayerAlreadyExistsException' });
    const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
    const part = { repositoryName, partFirstByte: 5, partLastByte: 5, layerPartBlob: Buffer.from('x') };
    await expect(ecr.send(new UploadLayerPartCommand({ ...part, uploadId }))).rejects.toMatchObject({
      name: 'InvalidLayerPartException',
      lastValidByteReceived: -1,
    });
    await expect(ecr.send(new UploadLayerPartCommand({ ...part, uploadId: 'none' }))).rejects.toMatchObject({
      name: 'UploadNotFoundException',
    });
  });

  const check = (...layerDigests: string[]) =>
    ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests }));

  test('are told to be available or not', async () => {
    await pushAll();
    const layerDigest = digestOf(amd64.layer);
    expect(await check(layerDigest, absent, 'nonsense')).toMatchObject({
      layers: [
        { layerDigest, layerAvailability: 'AVAILABLE', layerSize: amd64.layer.length },
        { layerDigest: absent, layerAvailability: 'UNAVAILABLE' },
      ],
      failures: [{ layerDigest: 'nonsense', failureCode: 'InvalidLayerDigest' }],
    });
  });

  test('can be told to be missing as failures, too', async () => {
    await restart({ absentLayers: 'failures' });
    expect(await check(absent)).toMatchObject({
      layers: [],
      failures: [{ layerDigest: absent, failureCode: 'MissingLayerDigest' }],
    });
  });

  test('are asked after by the hundred at most', async () => {
    const digests = Array.from({ length: 101 }, (_, position) => digestOf(Buffer.from(String(position))));
    expect((await check(...digests.slice(1))).layers).toHaveLength(100);
    await expect(check(...digests)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
