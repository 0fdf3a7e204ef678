import { Readable } from 'node:stream';
import { expect } from '@jest/globals';
import type { Emulator, EmulatorOptions } from '../../emulator/emulator.ts';
import { emulate } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { type Around, everywhere, kindOf, mirror, problemsOf, shown, statusesOf } from './act.ts';
import { bothWays, fact } from './fact.ts';

const index = indexOf([imageOf('linux/amd64'), imageOf('linux/arm64')]);

fact(
  'e-repository',
  'a missing repository is told of in all regions at once, before anything is sent',
  async () => {
    const emulator = await emulate({ repositories: [] });
    emulator.createRepository('team/app', {}, ['eu-west-1']);
    const problems = await problemsOf(mirror(index));
    expect(problems).toEqual(
      ['us-east-1', 'sa-east-1'].map((region) =>
        expect.stringMatching(
          `^${region}: the repository "team/app" does not exist: create it there, or set`,
        ),
      ),
    );
    expect(emulator.requests.filter(({ path }) => path.startsWith('/v2/'))).toEqual([]);
  },
);

fact('e-repository', 'where the role may not look, the push tells of it, and what to do', async () => {
  const fault: EmulatorOptions['fault'] = ({ operation }) =>
    operation === 'DescribeRepositories'
      ? { status: 400, code: 'AccessDeniedException', message: 'not authorized' }
      : undefined;
  await emulate({ repositories: [], fault });
  const { states, errors } = await mirror(index);
  expect(states).toEqual(everywhere('failed'));
  for (const error of errors) {
    expect(error).toMatch(
      /NAME_UNKNOWN: The repository with name 'team\/app' does not exist in the registry with id '123456789012' \(create the repository in/,
    );
  }
});

fact('e-digest', 'a layer that is damaged on its way is told of, and no tag is written', async () => {
  const emulator = await emulate();
  const services: Around['services'] = ({ transport }) => ({
    transport: {
      ...transport,
      send: (request) => {
        const { method, url, body, headers } = request;
        if (method !== 'PUT' || !url.pathname.includes('/uploads/') || !body) return transport.send(request);
        if (body instanceof Readable) body.destroy();
        const damaged = Buffer.alloc(Number(headers?.['content-length']));
        return transport.send({ ...request, body: damaged });
      },
    },
  });
  const { states, errors } = await mirror(index, {}, { services });
  expect(states).toEqual(everywhere('failed'));
  for (const error of errors) {
    expect(error).toMatch(
      /answered 400: BLOB_UPLOAD_INVALID: None of the provided layer digests match the calculated layer digest \(run the job again;/,
    );
  }
  expect(await shown(emulator)).toEqual(everywhere(null));
});

/** Answers a request of a kind to one region like this. */
function refuse(kind: string, status: number, code: string, message: string): Partial<EmulatorOptions> {
  return {
    fault: (request) =>
      request.region === 'eu-west-1' && kindOf(request) === kind ? { status, code, message } : undefined,
  };
}

for (const [parameter, advice] of [
  ['ImageManifest', /\(rebuild the image with a current builder: ECR takes no manifest with fields/],
  ['imageTag', /\(write tags of letters, digits and "_\.-", 300 of them at most/],
  ['repositoryName', /\(write "repository" in lower case letters, digits/],
] as const) {
  fact(
    'e-parameter',
    `${parameter} that is refused fails the region with what to do, and is not tried again`,
    async () => {
      const message = `Invalid parameter at '${parameter}' failed to satisfy constraint: 'Invalid JSON syntax'`;
      const emulator = await emulate(refuse('PUT manifests', 405, 'UNSUPPORTED', message));
      const { states, errors } = await mirror(index);
      expect(states).toEqual(['held back', 'failed', 'held back']);
      expect(errors).toEqual([expect.stringMatching(advice)]);
      expect(errors[0]).toContain(message);
      expect(statusesOf(emulator, 'PUT manifests', 'eu-west-1')).toEqual([405, 405]);
      expect(await shown(emulator)).toEqual(everywhere(null));
    },
  );
}

/** Everything that is asked of /v2/ is too much, in turns: it is taken the next time. */
function everyOther(): EmulatorOptions['fault'] {
  const seen = new Set<string>();
  return ({ method, path, region }) => {
    // Each upload has an address of its own.
    const key = `${region} ${method} ${path.replace(/uploads\/[^?]*/, 'uploads/')}`;
    if (!path.startsWith('/v2/') || seen.has(key)) return undefined;
    seen.add(key);
    return { status: 429, code: 'TOOMANYREQUESTS', message: 'Rate exceeded' };
  };
}

fact('e-throttled', 'whatever is too much is asked again, and the release gets through', async () => {
  const fault = everyOther();
  const emulator = await emulate({ ...(fault && { fault }) });
  const { states, errors } = await mirror(imageOf('linux/amd64'), { regions: 'us-east-1' });
  expect([states, errors]).toEqual([['published'], []]);
  // A POST for each that is not begun ahead, three layers and a config, the image, its tag, and what is asked of them.
  expect(throttled(emulator)).toBeGreaterThan(7);
});

function throttled({ requests }: Emulator): number {
  return requests.filter(({ status }) => status === 429).length;
}

bothWays(
  'e-throttled',
  'retryAfter',
  'what is always too much fails the release, and names the quota',
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour: { ...behaviour, quotas: { PutImage: 0 } } });
    const services: Around['services'] = () => ({
      retry: { retries: 0, throttled: 1, silent: 0, minDelay: 1, maxDelay: 5 },
    });
    const { states, errors } = await mirror(index, {}, { services });
    expect(states).toEqual(everywhere('failed'));
    for (const error of errors) {
      expect(error).toMatch(
        /TOOMANYREQUESTS: Rate exceeded \(a quota of the account in .* was used up \("Rate of PutImage requests", 10 a second by default\)/,
      );
    }
    expect(throttled(emulator)).toBeGreaterThan(0);
  },
);
