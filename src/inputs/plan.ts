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
  const entries = reader.lines('runners').flatMap((line) => readRunner(reader, line));
  return {
    mode: 'plan',
    platforms,
    runners: new Map(entries.flatMap(([name, runner]) => (name === 'default' ? [] : [[name, runner]]))),
    fallback: entries.find(([name]) => name === 'default')?.[1],
    share: reader.flag('share-runners', false),
  };
}

/** `platform=label`, `platform=label,label`, or `platform=JSON` for whatever else `runs-on` takes. */
function readRunner(reader: InputReader, line: string): [string, Runner][] {
  const equals = line.indexOf('=');
  const [name, value] = [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
  const runner = toRunner(value);
  if (equals <= 0 || !runner) {
    reader.refuse('runners', line, 'write a platform and its runner, such as "linux/arm64=ubuntu-24.04-arm"');
    return [];
  }
  if (name === 'default') return [[name, runner]];
  try {
    return [[formatPlatform(parsePlatform(name)), runner]];
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
