import * as z from 'zod/mini';
import { wordsOf } from '../distribution/errors.ts';
import { Problems } from '../problems.ts';
import { plain } from '../words.ts';

/** The document that `repository-settings` gives, and how problems name it. */
interface SettingsDocument {
  readonly title: string;
  readonly document: Record<string, unknown>;
}

const INPUT = 'input "repository-settings"';

const mappingSchema = z.record(z.string(), z.unknown());

/**
 * Reads YAML, of which JSON is a part, from the input or from the file that it names.
 * @throws Problems when the file cannot be read, or what is written is no YAML or no mapping
 */
export async function readDocument(
  text: string,
  readFile: (path: string) => Promise<string>,
): Promise<SettingsDocument> {
  const path = text.trim();
  if (!isPath(path)) return parse(INPUT, text);
  const content = await readFile(path).catch((error: unknown) => {
    throw new Problems([`${INPUT}: "${path}": ${unreadable(error)}`]);
  });
  return parse(`${INPUT} (${path})`, content);
}

/** Why a file cannot be read, and what to do. */
function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file: does the job run actions/checkout before?';
  const advice = 'write the path of a file with the settings';
  if (code === 'EISDIR') return `this is a folder: ${advice}`;
  return `this file cannot be read (${wordsOf(error)}): ${advice} that this job may read`;
}

/** One line that ends like a file's name, and is no mapping of one line. */
function isPath(text: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(text) && !/\n|:\s|^\{/.test(text);
}

async function parse(title: string, text: string): Promise<SettingsDocument> {
  // Few jobs have settings, so that the others need not wait for the parser to load.
  const { parseDocument } = await import('yaml');
  const yaml = parseDocument(text, { logLevel: 'error' });
  // Those after the first one mostly come of it.
  const [flaw] = [...yaml.errors, ...yaml.warnings];
  if (flaw) throw notYaml(title, flaw);
  const parsed = z.safeParse(
    mappingSchema,
    asJson(title, () => yaml.toJS()),
  );
  if (parsed.success) return { title, document: parsed.data };
  const value = title === INPUT ? `"${plain(text, 60)}": ` : '';
  throw new Problems([
    `${title}: ${value}write settings one a line, such as "tag-mutability: IMMUTABLE", or the path of a file, which ends in .yml, .yaml or .json`,
  ]);
}

/** A YAML document as what JSON can hold; an empty one has no settings. */
function asJson(title: string, read: () => unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(read() ?? {}));
  } catch (error) {
    // Aliases that lead nowhere, in circles, or to too much.
    throw notYaml(title, error);
  }
}

function notYaml(title: string, error: unknown): Problems {
  // What follows on further lines is a picture of the place.
  const [line = ''] = wordsOf(error).split('\n', 1);
  return new Problems([`${title}: this is not YAML that can be used: ${plain(line).replace(/:$/, '')}`]);
}
