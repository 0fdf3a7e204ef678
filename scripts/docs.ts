import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateActionMarkdownDocs } from 'action-docs';
import { iamPage } from './iam.ts';

const IAM_PAGE = 'docs/iam.md';

/** Writes the tables of inputs and outputs in a Markdown file anew from action.yml. */
async function writeTables(readmeFile: string): Promise<void> {
  await generateActionMarkdownDocs({ sourceFile: 'action.yml', updateReadme: true, readmeFile, tocLevel: 3 });
}

/** Whether the tables in the README are what action.yml says. */
async function tablesAreCurrent(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'docs-'));
  try {
    const copy = join(dir, 'README.md');
    await copyFile('README.md', copy);
    await writeTables(copy);
    return (await readFile(copy, 'utf8')) === (await readFile('README.md', 'utf8'));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Whether the page about IAM is what the table of permissions gives. */
async function iamPageIsCurrent(): Promise<boolean> {
  return (await readFile(IAM_PAGE, 'utf8').catch(() => '')) === iamPage();
}

/** `--check` changes nothing and fails when anything is out of date. */
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
if (values.check) {
  const stale = [
    ...((await tablesAreCurrent()) ? [] : ['The tables in README.md are not what action.yml says']),
    ...((await iamPageIsCurrent()) ? [] : [`${IAM_PAGE} is not what src/ecr/permissions.ts says`]),
  ];
  for (const problem of stale) console.error(`${problem}: run "npm run docs"`);
  if (stale.length > 0) process.exitCode = 1;
} else {
  await writeTables('README.md');
  await writeFile(IAM_PAGE, iamPage());
}
