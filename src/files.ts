import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Opening a pipe would wait for whoever writes to it. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file that others have put there: a file and nothing else, and not by way of a link, which could lead anywhere.
 * @throws the system's error (ELOOP for a link), or an Error when it is a folder, a pipe or a device
 */
export async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, FLAGS);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error('it is no file');
}

/**
 * Reads a file that others have put there; see {@link openFile}.
 * @param limit in bytes
 * @throws an Error when it has more
 */
export async function readFileAtMost(path: string, limit: number): Promise<Buffer> {
  const handle = await openFile(path);
  // Its size says nothing about a file that is being written.
  const bytes = Buffer.concat(await handle.createReadStream({ end: limit }).toArray());
  if (bytes.byteLength > limit) throw new Error(`it has more than ${limit} bytes`);
  return bytes;
}
