import { writeFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { runInThisContext } from 'node:vm';
import { atEnd } from '../support/ends.ts';
import { makeFolder } from '../support/folder.ts';

/** The environment that processes are started with: tests have a copy of it. */
const environment: NodeJS.ProcessEnv = runInThisContext('process').env;

/** Sets a variable of that environment until the test has ended. */
export function setForProcesses(name: string, value: string): void {
  const earlier = environment[name];
  environment[name] = value;
  atEnd(() => {
    if (earlier === undefined) delete environment[name];
    else environment[name] = earlier;
  });
}

/** Until the test has ended, commands are looked for here first, or here alone. */
function setPath(dir: string, { alone = false } = {}): void {
  setForProcesses('PATH', alone ? dir : `${dir}${delimiter}${environment.PATH}`);
}

/** Has this shell script be `docker`, or another command, until the test has ended; gives the folder that it is in. */
export async function installDocker(script: string, command = 'docker'): Promise<string> {
  const dir = await makeFolder();
  await writeFile(`${dir}/${command}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  setPath(dir);
  return dir;
}

/** Has no docker be there. */
export async function removeDocker(): Promise<void> {
  setPath(await makeFolder(), { alone: true });
}
