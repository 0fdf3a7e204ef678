import { getExecOutput } from '@actions/exec';
import type { Docker } from '../buildx/docker.ts';

/** The docker command of the runner. */
export function runnerDocker(): Docker {
  const execute = async (args: readonly string[], silent: boolean) => {
    const { exitCode, stdout, stderr } = await getExecOutput('docker', [...args], {
      silent,
      ignoreReturnCode: true,
    });
    return { code: exitCode, stdout, stderr };
  };
  return {
    ask: (args) => execute(args, true),
    show: (args) => execute(args, false),
  };
}
