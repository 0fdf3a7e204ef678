import { Refusal } from './refusal.ts';

/** Bytes from `start` up to and with `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the Range header of a download. What is not one range of bytes is ignored, as RFC 9110, section 14.2 has
 * it: then the whole is meant.
 * @param size of the content, in bytes
 * @throws Refusal (416) when the range lies outside of the content
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const [first, last] = [parts[1], parts[2]].map((text) => (text ? Number(text) : undefined));
  const start = first ?? Math.max(0, size - (last ?? 0));
  const end = Math.min(first === undefined ? size - 1 : (last ?? size - 1), size - 1);
  if (start > end) {
    throw new Refusal(416, 'RANGE_INVALID', `the range ${header} is outside of the content's ${size} bytes`, {
      headers: { 'Content-Range': `bytes */${size}` },
    });
  }
  return { start, end };
}

/**
 * Reads the Content-Range header of an upload's chunk, `start-end`, with or without the unit that HTTP has and the
 * distribution specification leaves out.
 * @throws Refusal (400) when it is something else
 */
export function parseContentRange(header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined;
  const parts = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header.trim());
  const [start, end] = [Number(parts?.[1]), Number(parts?.[2])];
  if (!(start <= end)) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', `'${header}' is not a range`);
  return { start, end };
}
