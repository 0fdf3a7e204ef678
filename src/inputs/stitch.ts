import { namePlatformTags } from '../release/legs/tagName.ts';
import type { CommonInputs } from './common.ts';
import { type HandOff, readHandOff, readTemplate, refuseWithoutPush } from './legs.ts';
import type { InputReader } from './reader.ts';

export interface StitchInputs extends CommonInputs {
  readonly mode: 'stitch';
  readonly legs: HandOff;
  /** The template of the tags of single platforms that are written beside the others; none are by default. */
  readonly platformTags: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Reads what `mode: stitch` needs beside what all modes need. */
export function readStitch(reader: InputReader, common: CommonInputs): StitchInputs {
  const { target, tags, platforms } = common;
  const platformTags = readTemplate(reader);
  const legs = readHandOff(reader, platformTags);
  if (legs.by !== 'artifact' && !target.push) {
    refuseWithoutPush(reader, 'write "artifact", here and in the build jobs');
  }
  if (tags.length === 0 && !reader.isGiven('tags')) {
    reader.problems.push(
      'input "tags" is missing: write the tags to publish the image under, such as "latest, v1.2.3"',
    );
  }
  if (legs.by === 'tags' && platforms.length === 0) {
    reader.problems.push(
      'input "platforms" is missing: with "legs: tags" it says whose tags to read; write all platforms of the image, such as "linux/amd64, linux/arm64"',
    );
  }
  const template = platformTags ?? (legs.by === 'tags' ? legs.template : undefined);
  if (template !== undefined) {
    const images = platforms.map((platform) => ({ platform }));
    reader.problems.push(...namePlatformTags(template, tags, images).problems);
  }
  return { mode: 'stitch', ...common, legs, platformTags, annotations: readAnnotations(reader) };
}

/** An annotation that says what it is for: `index:key=value`, `manifest,index:key=value`. */
const LEVELLED = /^((?:(?:manifest|index)(?:-descriptor)?(?:\[[^\]]*\])?,?)+):(.*)$/s;

/** Those for the index: `key=value`, `index:key=value`. What metadata-action writes for manifests is the legs'. */
function readAnnotations(reader: InputReader): Record<string, string> {
  const entries = reader.lines('annotations').flatMap((line) => {
    const [, level, text = line] = LEVELLED.exec(line) ?? [];
    const levels = (level ?? 'index').split(',');
    const equals = text.indexOf('=');
    if (equals <= 0) reader.refuse('annotations', line, 'write key=value');
    return levels.includes('index') ? [[text.slice(0, equals), text.slice(equals + 1)]] : [];
  });
  return Object.fromEntries(entries);
}
