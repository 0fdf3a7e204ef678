import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { dockerConfigs } from '../../src/github/dockerConfig.ts';
import { dockerLogins } from '../../src/github/dockerLogins.ts';
import { makeFolder } from '../support/folder.ts';

const LOGINS = new Map([['registry.example', 'b3VyczpwYXNz']]);

/** The settings with more logins, beside these usual ones. */
async function configWith(usual: string, settings?: object) {
  if (settings) await writeFile(join(usual, 'config.json'), JSON.stringify(settings));
  const dir = await dockerConfigs({ DOCKER_CONFIG: usual }, await makeFolder())(LOGINS);
  return { dir, settings: JSON.parse(await readFile(join(dir, 'config.json'), 'utf8')) };
}

describe("docker's settings with more logins", () => {
  test('have those that there were, and all else', async () => {
    const usual = await makeFolder();
    const auths = { 'other.example': { auth: 'eDp5' } };
    const { settings } = await configWith(usual, { auths, proxies: { default: { httpProxy: 'p' } } });
    expect(settings).toMatchObject({
      auths: { ...auths, 'registry.example': { auth: 'b3VyczpwYXNz' } },
      proxies: { default: { httpProxy: 'p' } },
    });
  });

  test('have the builders and the plugins of the usual ones', async () => {
    const usual = await makeFolder();
    await mkdir(join(usual, 'buildx', 'instances'), { recursive: true });
    await writeFile(join(usual, 'buildx', 'instances', 'one'), 'builder');
    await writeFile(join(usual, 'daemon.json'), '{}');
    await symlink(join(usual, 'buildx'), join(usual, 'cli-plugins'));
    await symlink(join(usual, 'gone'), join(usual, 'dangling'));
    const { dir } = await configWith(usual, {});
    expect(await readFile(join(dir, 'buildx', 'instances', 'one'), 'utf8')).toBe('builder');
    expect(await readFile(join(dir, 'cli-plugins', 'instances', 'one'), 'utf8')).toBe('builder');
    expect(await readFile(join(dir, 'daemon.json'), 'utf8')).toBe('{}');
    await writeFile(join(dir, 'buildx', 'current'), 'one');
    expect(await readFile(join(usual, 'buildx', 'current'), 'utf8')).toBe('one');
  });

  test('leave the usual ones as they are, and can be read by this user alone', async () => {
    const usual = await makeFolder();
    const { dir } = await configWith(usual, { auths: {} });
    expect(await readFile(join(usual, 'config.json'), 'utf8')).toBe('{"auths":{}}');
    expect((await stat(join(dir, 'config.json'))).mode & 0o077).toBe(0);
  });

  test('are found by docker, though a helper keeps all others', async () => {
    const { dir } = await configWith(await makeFolder(), { credsStore: 'none-such' });
    expect(await dockerLogins({ DOCKER_CONFIG: dir })('registry.example')).toBe('b3VyczpwYXNz');
  });

  test('are made where there were none', async () => {
    const { settings } = await configWith(join(await makeFolder(), 'none'));
    expect(Object.keys(settings.auths)).toEqual(['registry.example']);
  });
});
