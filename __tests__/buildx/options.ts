import type { BuildOptions } from '../../src/buildx/arguments.ts';

/** A build's options, all of them empty but those that are given. */
export function optionsOf(given: Partial<BuildOptions> = {}): BuildOptions {
  return {
    context: '.',
    file: '',
    target: '',
    builder: '',
    provenance: '',
    sbom: '',
    network: '',
    shmSize: '',
    cgroupParent: '',
    pull: false,
    noCache: false,
    addHosts: [],
    allow: [],
    annotations: [],
    attests: [],
    buildArgs: [],
    buildContexts: [],
    cacheFrom: [],
    cacheTo: [],
    labels: [],
    noCacheFilters: [],
    secrets: [],
    secretEnvs: [],
    secretFiles: [],
    ssh: [],
    ulimit: [],
    githubToken: '',
    ...given,
  };
}
