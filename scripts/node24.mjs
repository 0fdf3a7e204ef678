// Runs Node 24 with the given arguments, whatever Node this is: the one in use if it is new enough, else the one that
// comes as a package. Plain JavaScript, since an older Node has to be able to read it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WANTED = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The path of a Node that is new enough, or nothing. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= WANTED) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  // npm does not always link the package's command, so that its place is known here.
  return [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]
    .map((name) => join(root, 'node_modules', name, 'bin', binary))
    .find(existsSync);
}

const node = findNode();
if (!node) {
  console.error(
    `This needs Node ${WANTED} or later, and this is ${process.versions.node}: install it, or run "npm ci"`,
  );
  process.exit(1);
}
const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
const child = spawn(node, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH: path } });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('close', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
