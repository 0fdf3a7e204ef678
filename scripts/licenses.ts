import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import * as z from 'zod/mini';

/** The part of webpack's statistics that names the files in a bundle; concatenated modules hold others. */
const moduleSchema = z.looseObject({
  nameForCondition: z.nullish(z.string()),
  get modules() {
    return z.optional(z.array(moduleSchema));
  },
});
const statsSchema = z.looseObject({ modules: z.array(moduleSchema) });
type Module = z.infer<typeof moduleSchema>;

const packageSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  license: z.optional(z.string()),
});

/**
 * The licences of all packages of which a bundle has a file, sorted by name and version, so that the same bundle always
 * gives the same text.
 * @param statsFile what the bundler wrote with `--stats-out`
 */
export async function licensesOf(statsFile: string): Promise<string> {
  const { modules } = z.parse(statsSchema, JSON.parse(await readFile(statsFile, 'utf8')));
  const dirs = new Set(modules.flatMap(filesIn).flatMap((file) => packageDir(file) ?? []));
  const entries = await Promise.all([...dirs].map(readLicense));
  // One package may be installed in several places.
  return [...new Set(entries)].toSorted().join('\n');
}

function filesIn({ nameForCondition, modules = [] }: Module): string[] {
  return [...(nameForCondition ? [nameForCondition] : []), ...modules.flatMap(filesIn)];
}

/** The folder of the package that a file belongs to; nothing for a file of ours. */
function packageDir(file: string): string | undefined {
  const parts = file.split(sep);
  const start = parts.lastIndexOf('node_modules') + 1;
  if (start === 0) return undefined;
  return parts.slice(0, start + (parts[start]?.startsWith('@') ? 2 : 1)).join(sep);
}

async function readLicense(dir: string): Promise<string> {
  const { name, version, license } = z.parse(
    packageSchema,
    JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')),
  );
  const names = (await readdir(dir)).filter((each) => /^(licen[cs]e|copying)/i.test(each)).toSorted();
  const texts = await Promise.all(names.map((each) => readFile(join(dir, each), 'utf8')));
  return [
    `${name} ${version}`,
    license ?? '',
    ...texts.map((text) => text.replaceAll('\r\n', '\n').trim()),
    '',
  ].join('\n');
}
