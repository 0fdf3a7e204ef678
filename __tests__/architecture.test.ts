import { access, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

/** What each file of src/ imports, types included: other files by their path, packages by their name. */
const imports = new Map<string, readonly string[]>();

beforeAll(async () => {
  for (const file of await filesBelow('src')) {
    const specifiers = [...(await readFile(file, 'utf8')).matchAll(/(?:\bfrom|\bimport\(?) ?'([^']+)'/g)];
    imports.set(
      file,
      specifiers.map(([, specifier = '']) =>
        specifier.startsWith('.') ? join(file, '..', specifier) : specifier,
      ),
    );
  }
});

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => relative('.', join(parentPath, name)));
}

function importersOf(scope: string): string[] {
  return [...imports]
    .filter(([, found]) => found.some((name) => name.startsWith(scope)))
    .map(([file]) => file);
}

/** Everything that is reached from a file, by whatever chain. */
function reach(file: string, seen = new Set<string>()): Set<string> {
  for (const next of imports.get(file) ?? []) {
    if (seen.has(next)) continue;
    seen.add(next);
    reach(next, seen);
  }
  return seen;
}

async function filesMatching(pattern: RegExp): Promise<string[]> {
  const files = [...imports.keys()];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return files.filter((_, position) => pattern.test(texts[position] ?? ''));
}

describe('the house', () => {
  test('every import of a file leads to one that is there', () => {
    const missing = [...imports.values()]
      .flat()
      .filter((name) => name.startsWith('src/') && !imports.has(name));
    expect(missing).toEqual([]);
    expect(reach('src/index.ts')).toContain('src/release/publish.ts');
  });

  test.each(['src/image/', 'src/release/'])('%s reaches neither the toolkit nor the AWS SDK', (room) => {
    const files = [...imports.keys()].filter((file) => file.startsWith(room));
    expect(files).not.toEqual([]);
    const reached = files.flatMap((file) =>
      [...reach(file)].filter((name) => /^@(actions|aws-sdk)\//.test(name)).map((name) => `${file}: ${name}`),
    );
    expect(reached).toEqual([]);
  });

  test('src/image/ does no input or output', () => {
    const files = [...imports.keys()].filter((file) => file.startsWith('src/image/'));
    const reached = new Set(files.flatMap((file) => [...reach(file)]));
    expect([...reached].filter((name) => name.startsWith('node:') && name !== 'node:crypto')).toEqual([]);
  });

  test('only the entry and src/github/ import the toolkit', () => {
    const importers = importersOf('@actions/');
    expect(importers).toContain('src/index.ts');
    expect(importers.filter((file) => !/^src\/(index\.ts|main\.ts|github\/)/.test(file))).toEqual([]);
  });

  test('only src/ecr/ imports the AWS SDK', () => {
    const importers = importersOf('@aws-sdk/');
    expect(importers).not.toEqual([]);
    expect(importers.filter((file) => !file.startsWith('src/ecr/'))).toEqual([]);
  });

  test('only the entry reads the environment', async () => {
    const readers = await filesMatching(/process\.env/);
    expect(readers).toContain('src/index.ts');
    expect(readers.filter((file) => !/^src\/(index|main)\.ts$/.test(file))).toEqual([]);
  });

  test('no file imports itself, by whatever chain', () => {
    expect([...imports.keys()].filter((file) => reach(file).has(file))).toEqual([]);
  });

  test('no file has more than 300 lines', async () => {
    const files = [...imports.keys(), ...(await filesBelow('emulator'))];
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect(files.filter((_, position) => (texts[position] ?? '').split('\n').length > 301)).toEqual([]);
  });

  test('the action runs a file that is there', async () => {
    const { runs } = parse(await readFile('action.yml', 'utf8'));
    expect(runs.main).toBe('dist/index.js');
    await access(runs.main);
  });
});
