import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { dockerLogins } from '../../src/github/dockerLogins.ts';
import { makeFolder } from '../support/folder.ts';
import { installDocker, setForProcesses } from './fakeDocker.ts';

const HUB = 'https://index.docker.io/v1/';

const encoded = (text: string) => Buffer.from(text).toString('base64');

/** The logins of a docker with these settings; a text is taken as the file's. */
async function loginsOf(settings: string | Readonly<Record<string, unknown>>) {
  const dir = await makeFolder();
  const text = typeof settings === 'string' ? settings : JSON.stringify(settings);
  await writeFile(join(dir, 'config.json'), text);
  return dockerLogins({ DOCKER_CONFIG: dir });
}

/** Installs a helper of this name that answers with what it is given for each registry; gives what it was asked. */
async function installHelper(name: string, answers: Readonly<Record<string, string>>) {
  const cases = Object.entries(answers).map(([registry, answer]) => `'${registry}') echo '${answer}' ;;`);
  const dir = await installDocker(
    [
      'read -r registry || [ -n "$registry" ]',
      'echo "$1 $registry" >> "$0.asked"',
      `case "$registry" in ${cases.join(' ')}`,
      '*) echo "credentials not found in native keychain"; exit 1 ;; esac',
    ].join('\n'),
    `docker-credential-${name}`,
  );
  return async () => {
    const asked = await readFile(join(dir, `docker-credential-${name}.asked`), 'utf8').catch(() => '');
    return asked.split('\n').filter(Boolean);
  };
}

const answerOf = (Username: string, Secret: string, registry = '') =>
  JSON.stringify({ ServerURL: registry, Username, Secret });

describe('a login in docker’s settings', () => {
  test('is that of the registry, as basic authentication has it', async () => {
    const logins = await loginsOf({
      auths: { 'ghcr.io': { auth: encoded('me:one') }, 'localhost:5000': { auth: encoded('me:two') } },
      credHelpers: {},
      proxies: { default: {} },
    });
    expect(await logins('ghcr.io')).toBe(encoded('me:one'));
    expect(await logins('localhost:5000')).toBe(encoded('me:two'));
    expect(await logins('localhost')).toBeUndefined();
    expect(await logins('quay.io')).toBeUndefined();
  });

  test('may stand under the registry’s address', async () => {
    const logins = await loginsOf({ auths: { 'https://ghcr.io': { auth: encoded('me:one') } } });
    expect(await logins('ghcr.io')).toBe(encoded('me:one'));
  });

  test.each([HUB, 'docker.io'])('of Docker Hub stands under %s', async (name) => {
    const logins = await loginsOf({ auths: { [name]: { auth: encoded('me:hub') } } });
    expect(await logins('registry-1.docker.io')).toBe(encoded('me:hub'));
  });

  test('of Docker Hub is given to nobody else', async () => {
    const logins = await loginsOf({ auths: { [HUB]: { auth: encoded('me:hub') } } });
    expect(await logins('index.docker.io.evil.example')).toBeUndefined();
    expect(await logins('ghcr.io')).toBeUndefined();
  });

  test('that is made after the start is found', async () => {
    const dir = await makeFolder();
    const logins = dockerLogins({ DOCKER_CONFIG: dir });
    expect(await logins('ghcr.io')).toBeUndefined();
    await writeFile(join(dir, 'config.json'), JSON.stringify({ auths: { 'ghcr.io': { auth: 'eDp5' } } }));
    expect(await logins('ghcr.io')).toBe('eDp5');
  });

  test('is looked for in the home folder when no other is named', async () => {
    const home = await makeFolder();
    setForProcesses('HOME', home);
    await mkdir(join(home, '.docker'));
    const settings = JSON.stringify({ auths: { 'ghcr.io': { auth: encoded('me:home') } } });
    await writeFile(join(home, '.docker', 'config.json'), settings);
    expect(await dockerLogins({})('ghcr.io')).toBe(encoded('me:home'));
    expect(await dockerLogins({ DOCKER_CONFIG: '' })('ghcr.io')).toBe(encoded('me:home'));
  });

  test.each([
    '{}',
    '',
    ' \n',
    '{"auths":{}}',
    '{"auths":{"ghcr.io":{}}}',
    '{"auths":{"ghcr.io":{"auth":""}}}',
  ])('is none in %j', async (text) => {
    expect(await (await loginsOf(text))('ghcr.io')).toBeUndefined();
  });

  test('is none when there are no settings', async () => {
    expect(
      await dockerLogins({ DOCKER_CONFIG: join(await makeFolder(), 'absent') })('ghcr.io'),
    ).toBeUndefined();
  });

  test.each([
    '{"auths":{"ghcr.io":{"auth":"c2VjcmV0"}}',
    'auths: c2VjcmV0',
    '{"auths":"c2VjcmV0"}',
    '{"auths":{"ghcr.io":{"auth":7}},"x":"c2VjcmV0"}',
    '["c2VjcmV0"]',
  ])('in settings that are broken is told with their file, and without their text: %s', async (text) => {
    const dir = await makeFolder();
    const file = join(dir, 'config.json');
    await writeFile(file, text);
    const failed = dockerLogins({ DOCKER_CONFIG: dir })('ghcr.io').catch((error: unknown) => String(error));
    expect(await failed).toBe(
      `Error: docker's settings, "${file}", cannot be read: mend the file, or log in to the registry anew`,
    );
  });

  test('in settings that cannot be read is told too', async () => {
    const dir = await makeFolder();
    await mkdir(join(dir, 'config.json'));
    await expect(dockerLogins({ DOCKER_CONFIG: dir })('ghcr.io')).rejects.toThrow(/cannot be read/);
  });
});

describe('a program that keeps logins', () => {
  test('is asked for its own registry alone', async () => {
    const asked = await installHelper('gcloud', { 'gcr.io': answerOf('oauth', 'to:ken') });
    const logins = await loginsOf({
      auths: { 'ghcr.io': { auth: encoded('me:one') } },
      credHelpers: { 'gcr.io': 'gcloud' },
    });
    expect(await logins('gcr.io')).toBe(encoded('oauth:to:ken'));
    expect(await logins('ghcr.io')).toBe(encoded('me:one'));
    expect(await asked()).toEqual(['get gcr.io']);
  });

  test('is asked for all registries when it is the store', async () => {
    const asked = await installHelper('desktop', {
      'ghcr.io': answerOf('me', 'one'),
      'https://quay.io': answerOf('me', 'two'),
    });
    const logins = await loginsOf({ auths: { 'ghcr.io': {} }, credsStore: 'desktop' });
    expect(await logins('ghcr.io')).toBe(encoded('me:one'));
    expect(await logins('quay.io')).toBe(encoded('me:two'));
    expect(await logins('gcr.io')).toBeUndefined();
    expect(await asked()).toEqual([
      'get ghcr.io',
      'get quay.io',
      'get https://quay.io',
      'get gcr.io',
      'get https://gcr.io',
    ]);
  });

  test('of a registry comes before the store', async () => {
    const [store, helper] = [
      await installHelper('store', { 'ghcr.io': answerOf('me', 'store') }),
      await installHelper('own', { 'ghcr.io': answerOf('me', 'own') }),
    ];
    const logins = await loginsOf({ credsStore: 'store', credHelpers: { 'ghcr.io': 'own' } });
    expect(await logins('ghcr.io')).toBe(encoded('me:own'));
    expect([await store(), await helper()]).toEqual([[], ['get ghcr.io']]);
  });

  test('knows Docker Hub by its first address', async () => {
    const asked = await installHelper('desktop', { [HUB]: answerOf('me', 'hub') });
    const logins = await loginsOf({ credsStore: 'desktop' });
    expect(await logins('registry-1.docker.io')).toBe(encoded('me:hub'));
    expect(await asked()).toEqual([`get ${HUB}`]);
  });

  test.each([
    ['a token that is no password', answerOf('<token>', 'identity')],
    ['no JSON', 'no such thing'],
    ['other JSON', '{"message":"no such thing"}'],
    ['nothing', ''],
  ])('that answers with %s has no login', async (_, answer) => {
    const asked = await installHelper('odd', { 'ghcr.io': answer });
    expect(await (await loginsOf({ credsStore: 'odd' }))('ghcr.io')).toBeUndefined();
    expect(await asked()).toContain('get ghcr.io');
  });

  test.each(['absent', 'failing', 'deaf'])('that is %s leaves the login in the settings', async (helper) => {
    await installDocker('exit 3', 'docker-credential-failing');
    await installDocker('exec 0<&-; exit 1', 'docker-credential-deaf');
    const logins = await loginsOf({
      auths: { 'ghcr.io': { auth: encoded('me:one') } },
      credsStore: helper,
    });
    expect(await logins('ghcr.io')).toBe(encoded('me:one'));
    expect(await logins('quay.io')).toBeUndefined();
  });
});
