import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
import { formatPlatform, PlatformError, parsePlatform } from '../image/platform.ts';
import type { PlanOptions, Runner } from '../modes/plan.ts';
import type { InputReader } from './reader.ts';

/** What `mode: plan` needs. */
export interface PlanInputs extends PlanOptions {
  readonly mode: 'plan';
}

const jsonSchema = z.union([z.array(z.string()), z.record(z.string(), z.unknown())]);

/** Reads what is to be planned: every platform, and which runner builds it. */
export function readPlan(reader: InputReader): PlanInputs {
  const told = reader.problems.length;
  const platforms = reader.platforms('platforms');
  if (platforms.length === 0 && reader.problems.length === told) {
    reader.problems.push(
      'input "platforms" is missing: write what is to be built, such as "linux/amd64, linux/arm64"',
    );
  }
  const runners = readRunners(reader);
  const fallback = runners.get(DEFAULT);
  runners.delete(DEFAULT);
  return {
    mode: 'plan',
    platforms,
    runners,
    fallback,
    share: reader.flag('share-runners', false),
  };
}

/** Stands in place of a platform for all those that have no line. */
const DEFAULT = 'default';

/** The runner of each platform, by its name in normal form, and that of all others. */
function readRunners(reader: InputReader): Map<string, Runner> {
  const entries = reader.lines('runners').flatMap((line) => readRunner(reader, line));
  const found = new Map<string, RunnerLine>();
  for (const entry of entries) {
    const before = found.get(entry.name);
    if (!before) found.set(entry.name, entry);
    else if (!isDeepStrictEqual(before.runner, entry.runner)) {
      reader.refuse(
        'runners',
        entry.line,
        `"${before.line}" names another runner for the same: keep one of the two`,
      );
    }
  }
  return new Map([...found].map(([name, { runner }]) => [name, runner]));
}

/** A line of `runners`. */
interface RunnerLine {
  /** As it was written. */
  readonly line: string;
  /** A platform in normal form, or {@link DEFAULT}. */
  readonly name: string;
  readonly runner: Runner;
}

/** `platform=label`, `platform=label,label`, or `platform=JSON` for whatever else `runs-on` takes. */
function readRunner(reader: InputReader, line: string): RunnerLine[] {
  const equals = line.indexOf('=');
  const [name, value] = [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
  const runner = toRunner(value);
  if (equals <= 0 || !runner) {
    reader.refuse('runners', line, 'write a platform and its runner, such as "linux/arm64=ubuntu-24.04-arm"');
    return [];
  }
  if (name === DEFAULT) return [{ line, name, runner }];
  try {
    return [{ line, name: formatPlatform(parsePlatform(name)), runner }];
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    reader.problems.push(`input "runners": ${error.message}`);
    return [];
  }
}

function toRunner(value: string): Runner | undefined {
  if (/^[[{]/.test(value)) return z.safeParse(jsonSchema, safeJson(value)).data;
  const labels = value.split(',').map((label) => label.trim());
  if (labels.includes('')) return undefined;
  const [only, ...more] = labels;
  return more.length > 0 ? labels : only;
}
