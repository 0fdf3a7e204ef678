import { access, glob, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

const VERSION = 'v1.7.12';

/** Lints our workflows and the examples with actionlint, which Go installs into the cache when it is not there. */
async function lint(): Promise<number> {
  const cache =
    process.env.ECR_MULTIARCH_CACHE ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ecr-multiarch');
  const bin = join(cache, `actionlint-${VERSION}`);
  const actionlint = join(bin, 'actionlint');
  if (!(await exists(actionlint))) {
    await mkdir(bin, { recursive: true });
    process.env.GOBIN = bin;
    const installed = await run('go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@${VERSION}`]);
    if (installed !== 0) return installed;
  }
  const examples = await Array.fromAsync(glob('examples/*.yml'));
  const workflows = await Array.fromAsync(glob('.github/workflows/*.yml'));
  return run(actionlint, ['-shellcheck=', '-pyflakes=', ...workflows, ...examples]);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

process.exitCode = await lint();
