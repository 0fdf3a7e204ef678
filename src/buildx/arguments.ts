import { formatPlatform, type Platform } from '../image/platform.ts';

/** What a build is made from, as docker/build-push-action names it. Lists are parsed already. */
export interface BuildOptions {
  readonly context: string;
  readonly file: string;
  readonly target: string;
  readonly builder: string;
  readonly provenance: string;
  readonly sbom: string;
  readonly network: string;
  readonly shmSize: string;
  readonly cgroupParent: string;
  readonly pull: boolean;
  readonly noCache: boolean;
  readonly addHosts: readonly string[];
  readonly allow: readonly string[];
  readonly annotations: readonly string[];
  readonly attests: readonly string[];
  readonly buildArgs: readonly string[];
  readonly buildContexts: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly labels: readonly string[];
  readonly noCacheFilters: readonly string[];
  /** `id=value`; the value goes to buildx in a file. */
  readonly secrets: readonly string[];
  /** `id=VARIABLE`. */
  readonly secretEnvs: readonly string[];
  /** `id=path`. */
  readonly secretFiles: readonly string[];
  readonly ssh: readonly string[];
  readonly ulimit: readonly string[];
  readonly githubToken: string;
}

/** What a run knows beside the inputs. */
export interface BuildSetting {
  readonly platforms: readonly Platform[];
  /** The value of `--output`. */
  readonly output: string;
  readonly metadataFile: string;
  /** Files that hold the secrets' values, by id. */
  readonly secretFiles: ReadonlyMap<string, string>;
  /** The values of `--attest`, see {@link attestations}. */
  readonly attestations: readonly string[];
}

/** The arguments of `docker`, in full. No secret is among them. */
export function buildxArguments(options: BuildOptions, setting: BuildSetting): string[] {
  const values = (flag: string, list: readonly string[]) => list.flatMap((value) => [`--${flag}`, value]);
  const value = (flag: string, text: string) => (text ? [`--${flag}`, text] : []);
  const files = [...setting.secretFiles].map(([id, path]) => `id=${id},src=${path}`);
  return [
    ...['buildx', 'build'],
    ...value('builder', options.builder),
    ...value('file', options.file),
    ...value('target', options.target),
    ...value('platform', setting.platforms.map(formatPlatform).join(',')),
    ...values('build-arg', options.buildArgs),
    ...values('build-context', options.buildContexts),
    ...values('label', options.labels),
    ...values('annotation', options.annotations),
    ...values('cache-from', options.cacheFrom),
    ...values('cache-to', options.cacheTo),
    ...values('secret', files),
    ...values(
      'secret',
      options.secretEnvs.map((entry) => secretSource(entry, 'env')),
    ),
    ...values(
      'secret',
      options.secretFiles.map((entry) => secretSource(entry, 'src')),
    ),
    ...values('attest', setting.attestations),
    ...values('add-host', options.addHosts),
    ...values('allow', options.allow),
    ...values('no-cache-filter', options.noCacheFilters),
    ...values('ssh', options.ssh),
    ...values('ulimit', options.ulimit),
    ...value('network', options.network),
    ...value('shm-size', options.shmSize),
    ...value('cgroup-parent', options.cgroupParent),
    ...(options.pull ? ['--pull'] : []),
    ...(options.noCache ? ['--no-cache'] : []),
    ...['--output', setting.output],
    ...['--metadata-file', setting.metadataFile],
    options.context,
  ];
}

function secretSource(entry: string, kind: 'env' | 'src'): string {
  const equals = entry.indexOf('=');
  return `id=${entry.slice(0, equals)},${kind}=${entry.slice(equals + 1)}`;
}

/** What the defaults of provenance depend on. */
export interface AttestationSetting {
  /** Whether the builder can attest: the docker driver without the containerd store cannot. */
  readonly supported: boolean;
  /** `BUILDX_NO_DEFAULT_ATTESTATIONS` is set. */
  readonly noDefault: boolean;
  readonly privateRepository: boolean;
  /** The URL of this workflow run, which names the builder in the provenance. */
  readonly runUrl: string;
}

/**
 * The values of `--attest`, with docker/build-push-action's defaults: full provenance on public repositories, the
 * least on private ones, where build arguments must not leak into it.
 */
export function attestations(options: BuildOptions, setting: AttestationSetting): string[] {
  const others = options.attests.filter(
    (each) =>
      !(options.provenance && isOfType(each, 'provenance')) && !(options.sbom && isOfType(each, 'sbom')),
  );
  const provenance = provenanceAttest(options, others, setting);
  const sbom = options.sbom ? [asAttest('sbom', options.sbom)] : [];
  return [...others, ...provenance, ...sbom];
}

function provenanceAttest(
  { provenance }: BuildOptions,
  others: readonly string[],
  { supported, noDefault, privateRepository, runUrl }: AttestationSetting,
): string[] {
  if (provenance === 'false') return [asAttest('provenance', 'false')];
  if (provenance === 'true') return [withBuilder('type=provenance', runUrl)];
  if (provenance) return [withBuilder(asAttest('provenance', provenance), runUrl)];
  const told = noDefault || others.some((each) => isOfType(each, 'provenance'));
  if (told || !supported) return [];
  return [withBuilder(`type=provenance,mode=${privateRepository ? 'min,inline-only=true' : 'max'}`, runUrl)];
}

function isOfType(attest: string, type: string): boolean {
  return attest.split(',').includes(`type=${type}`);
}

/** `true`, `false` and attributes, in the one form that `--attest` takes. */
function asAttest(type: string, value: string): string {
  if (value === 'true') return `type=${type}`;
  if (value === 'false') return `type=${type},disabled=true`;
  return `type=${type},${value}`;
}

function withBuilder(attest: string, runUrl: string): string {
  const named = attest.split(',').some((attribute) => attribute.startsWith('builder-id='));
  const off = attest.split(',').includes('disabled=true');
  return named || off || !runUrl ? attest : `${attest},builder-id=${runUrl}`;
}
