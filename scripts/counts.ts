import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';

/** What jest and the checks leave of a run. */
const countsSchema = z.looseObject({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numFailedTestSuites: z.optional(z.number()),
  numRuntimeErrorTestSuites: z.optional(z.number()),
});

/** Adds up the files named on the command line; one that a run did not leave counts as a failure. */
async function addUp(files: readonly string[]): Promise<{ passed: number; failed: number }> {
  let [passed, failed] = [0, 0];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) {
      console.error(`no results in ${file}`);
      failed += 1;
      continue;
    }
    const counts = z.parse(countsSchema, JSON.parse(text));
    passed += counts.numPassedTests;
    // A suite that could not even start has no failed test in it.
    failed += counts.numFailedTests + (counts.numRuntimeErrorTestSuites ?? 0);
  }
  return { passed, failed };
}

const { passed, failed } = await addUp(process.argv.slice(2));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
