import type { BuildOptions } from '../buildx/arguments.ts';
import type { InputReader } from './reader.ts';

/** Inputs of docker/build-push-action that contradict what this action does: never ignored. */
const CONTRADICTIONS: Readonly<Record<string, string>> = {
  load: 'an image that goes to ECR is not loaded into docker: leave "load" out',
  outputs: 'the image goes to ECR in all regions: leave "outputs" out',
};

/** Refuses what asks for something else than this action does, whichever image it is. */
export function refuseContradictions(reader: InputReader): void {
  for (const [name, advice] of Object.entries(CONTRADICTIONS)) {
    const text = reader.text(name);
    if (text && text !== 'false') reader.refuse(name, text, advice);
  }
}

/** Reads the inputs that docker/build-push-action has too, with its parsing. */
export function readBuildOptions(reader: InputReader): BuildOptions {
  return {
    context: reader.text('context') || '.',
    file: reader.text('file'),
    target: reader.text('target'),
    builder: reader.text('builder'),
    provenance: reader.text('provenance'),
    sbom: reader.text('sbom'),
    network: reader.text('network'),
    shmSize: reader.text('shm-size'),
    cgroupParent: reader.text('cgroup-parent'),
    pull: reader.flag('pull', false),
    noCache: reader.flag('no-cache', false),
    addHosts: reader.list('add-hosts'),
    allow: reader.list('allow'),
    annotations: reader.lines('annotations'),
    attests: reader.lines('attests'),
    buildArgs: reader.lines('build-args'),
    buildContexts: reader.lines('build-contexts'),
    cacheFrom: reader.lines('cache-from'),
    cacheTo: reader.lines('cache-to'),
    labels: reader.lines('labels'),
    noCacheFilters: reader.list('no-cache-filters'),
    secrets: pairs(reader, 'secrets', reader.secrets('secrets'), false),
    secretEnvs: pairs(reader, 'secret-envs', reader.list('secret-envs'), true),
    secretFiles: pairs(reader, 'secret-files', reader.lines('secret-files'), true),
    ssh: reader.list('ssh'),
    ulimit: reader.lines('ulimit'),
    githubToken: reader.text('github-token'),
  };
}

/** Entries of the form `id=value`. A secret's text is never repeated in an error, only its place. */
function pairs(reader: InputReader, name: string, entries: readonly string[], shown: boolean): string[] {
  return entries.filter((entry, position) => {
    const equals = entry.indexOf('=');
    if (equals > 0 && equals < entry.length - 1) return true;
    const which = shown ? entry : `entry ${position + 1}`;
    reader.refuse(name, which, 'write id=value');
    return false;
  });
}
