import type * as Core from '@actions/core';
import type { Inputs } from '../inputs/inputs.ts';
import type { PlannedJob } from '../modes/plan.ts';
import type { Outcome } from '../modes/services.ts';
import { Problems } from '../problems.ts';
import { toError } from '../release/errors.ts';
import { TimeLimitError, UnfinishedError } from '../release/late.ts';
import { isDone } from '../release/result.ts';
import { logLine } from './lines.ts';
import { failureSummary, imagesOf, keptLines, repairedLines, resultLine, summaryOf } from './report.ts';
import { shownLines, unprovedIn } from './shown.ts';

export type Toolkit = typeof Core;

/**
 * Tells log, summary and outputs what became of a release, and fails the step, once, with everything that went wrong. Whichever
 * of them cannot be told, the others are: what was published is published.
 */
export async function tellOutcome(
  core: Toolkit,
  environment: NodeJS.ProcessEnv,
  inputs: Inputs,
  outcome: Outcome,
): Promise<void> {
  const { digest, results, metadata, problems = [] } = outcome;
  const unwritten = setOutputs(core, environment, {
    digest,
    images: JSON.stringify(imagesOf(outcome)),
    results: JSON.stringify(results),
    metadata,
  });
  const told = { ...outcome, problems: [...problems, ...unwritten] };
  for (const result of results) core.info(logLine(resultLine(result)));
  for (const line of [...keptLines(told), ...repairedLines(told)]) core.notice(logLine(line));
  await writeSummary(core, environment, summaryOf(told, headingOf(inputs, told)));
  conclude(core, inputs, told);
}

/**
 * Tells which jobs a release takes.
 * @throws Problems when the output cannot be written
 */
export function tellPlan(core: Toolkit, environment: NodeJS.ProcessEnv, jobs: readonly PlannedJob[]): void {
  for (const { platform, runner, qemu } of jobs) {
    const where = typeof runner === 'string' ? runner : JSON.stringify(runner);
    core.info(logLine(`${platform} on ${where}${qemu ? `, emulating ${qemu}` : ''}`));
  }
  const unwritten = setOutputs(core, environment, { matrix: JSON.stringify({ include: jobs }) });
  if (unwritten.length > 0) throw new Problems(unwritten);
}

/** Fails a step that ended before anything was published anywhere, or before it was known what was. */
export async function tellFailure(
  core: Toolkit,
  environment: NodeJS.ProcessEnv,
  error: unknown,
): Promise<void> {
  // The group of lines in which it was given up would fold the error away.
  if (error instanceof TimeLimitError || error instanceof UnfinishedError) core.endGroup();
  const heading = error instanceof UnfinishedError ? 'Nobody knows what was published' : undefined;
  await writeSummary(core, environment, failureSummary(toError(error).message, heading));
  fail(core, error);
}

/** @returns what could not be written, and why */
function setOutputs(
  core: Toolkit,
  { GITHUB_OUTPUT }: NodeJS.ProcessEnv,
  outputs: Readonly<Record<string, string>>,
): string[] {
  const failures = Object.entries(outputs).flatMap(([name, value]) => {
    try {
      core.setOutput(name, value);
      return [];
    } catch (error) {
      return [{ name, reason: toError(error).message }];
    }
  });
  if (failures.length === 0) return [];
  const names = failures.map(({ name }) => `"${name}"`).join(', ');
  const reasons = [...new Set(failures.map(({ reason }) => reason))].join('; ');
  return [
    `later steps do not get the output ${names}, since the file of GITHUB_OUTPUT, "${GITHUB_OUTPUT}", could not be written: ${reasons}; whatever else is told here is so: look at the runner's disk and the file, and run the job again`,
  ];
}

/** What failed in a region fails the step, unless the others are enough; what failed otherwise does in any case. */
function conclude(core: Toolkit, { target }: Inputs, outcome: Outcome): void {
  const { results, problems = [] } = outcome;
  const inRegions = results.every(isDone)
    ? []
    : [...results.flatMap(({ error }) => error ?? []), ...shownLines(outcome)];
  const isEnough = target.onRegionFailure === 'warn' && results.some(isDone);
  if (isEnough && inRegions.length > 0) {
    const told = [...new Set(inRegions)].map((problem) => logLine(problem)).join('\n');
    core.warning(`This does not fail the step, since "on-region-failure" is "warn":\n${told}`);
  }
  const fatal = [...(isEnough ? [] : inRegions), ...problems];
  if (fatal.length > 0) fail(core, new Problems(fatal));
}

const HEADINGS: Readonly<Record<Inputs['mode'], string>> = {
  build: 'Built',
  stitch: 'Published',
  mirror: 'Mirrored',
};

function headingOf({ mode, target }: Inputs, outcome: Outcome): string {
  const { tags, results } = outcome;
  // A build that writes tags of its own is a release as well.
  const done = tags.length > 0 && mode === 'build' ? 'Published' : HEADINGS[mode];
  const [count, all] = [results.filter(isDone).length, results.length];
  if (count === all) return `${target.push ? done : 'Checked, not pushed:'} ${target.repository}`;
  if (!target.push) {
    return `Checked, not pushed: ${target.repository} would be refused in ${all - count} of ${all} regions`;
  }
  if (count > 0) return `${done} in ${count} of ${all} regions: ${target.repository}`;
  const unproved = unprovedIn(outcome);
  return unproved > 0
    ? `Not proved: ${target.repository} shows the release, or may, in ${unproved} of ${all} regions`
    : `Not published: ${target.repository}`;
}

/** What was published is published, and what failed has to be told, with or without a summary. */
async function writeSummary(core: Toolkit, environment: NodeJS.ProcessEnv, text: string): Promise<void> {
  if (!environment.GITHUB_STEP_SUMMARY) return;
  await core.summary
    .addRaw(text, true)
    .write()
    .catch((error: Error) => core.warning(`the job's summary was not written: ${error.message}`));
}

/** Only debug logging shows where in the code an error came from. */
function fail(core: Toolkit, error: unknown): void {
  const failure = toError(error);
  core.debug(failure.stack ?? failure.message);
  if (failure.cause instanceof Error) core.debug(failure.cause.stack ?? failure.cause.message);
  core.setFailed(failure.message);
}
