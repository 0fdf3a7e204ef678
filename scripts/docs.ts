import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateActionMarkdownDocs } from 'action-docs';

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

/** `--check` changes nothing and fails when the tables are out of date. */
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
if (!values.check) {
  await writeTables('README.md');
} else if (!(await tablesAreCurrent())) {
  console.error('The tables in README.md are not what action.yml says: run "npm run docs"');
  process.exitCode = 1;
}
