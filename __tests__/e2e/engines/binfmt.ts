import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from './process.ts';

const mountPoint = '/proc/sys/fs/binfmt_misc';

/**
 * Lets the kernel run arm64 programs under QEMU, as Debian's qemu-user-static describes it. The
 * rule's `F` flag has the kernel open QEMU once, here, so it is found from every root file system.
 */
export async function registerArm64(): Promise<void> {
  if (process.arch === 'arm64') return;
  if (!existsSync(`${mountPoint}/register`)) {
    await run('mount', ['-t', 'binfmt_misc', 'binfmt_misc', mountPoint]);
  }
  const rule = `${mountPoint}/qemu-aarch64`;
  if (existsSync(rule)) {
    if (/^flags: .*F/m.test(readFileSync(rule, 'utf8'))) return;
    writeFileSync(rule, '-1');
  }
  writeFileSync(`${mountPoint}/register`, readFileSync('/usr/lib/binfmt.d/qemu-aarch64.conf', 'utf8').trim());
}
