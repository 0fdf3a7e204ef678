import { closest, distance } from 'fastest-levenshtein';
import * as z from 'zod/mini';

/** Whatever is more than this could pass for two parts of a platform, or for something else where it is shown. */
const partSchema = z
  .string()
  .check(z.regex(/^[A-Za-z0-9._+-]{0,64}$/, 'must be letters, digits and "._+-", at most 64'));

/**
 * The platform of a descriptor.
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions
 */
export const platformSchema = z.looseObject({
  os: partSchema,
  architecture: partSchema,
  variant: z.optional(partSchema),
  'os.version': z.optional(partSchema),
  'os.features': z.optional(z.array(z.string())),
});
export type Platform = z.infer<typeof platformSchema>;

/** A platform text that cannot be used; the message says what to write instead. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
}

const OPERATING_SYSTEMS = ['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'wasi'];
const ARCHITECTURES = [
  ...['amd64', 'arm64', 'arm', '386', 'ppc64le', 'ppc64', 's390x', 'riscv64', 'loong64'],
  ...['mips', 'mipsle', 'mips64', 'mips64le', 'wasm'],
];

const OS_NAMES: ReadonlyMap<string, string> = new Map([['macos', 'darwin']]);
const ARCH_NAMES: ReadonlyMap<string, { architecture: string; variant?: string }> = new Map([
  ['x86_64', { architecture: 'amd64' }],
  ['x86-64', { architecture: 'amd64' }],
  ['aarch64', { architecture: 'arm64' }],
  ['i386', { architecture: '386' }],
  ['armhf', { architecture: 'arm', variant: 'v7' }],
  ['armel', { architecture: 'arm', variant: 'v6' }],
]);

/**
 * Parses `os/arch[/variant]` as users write it and gives it in normal form.
 * @throws PlatformError naming the text and the nearest platform that exists
 */
export function parsePlatform(text: string): Platform {
  const parts = text.trim().toLowerCase().split('/');
  const [os, architecture, variant] = parts;
  if (!os || !architecture || parts.length > 3 || variant === '') {
    throw new PlatformError(
      `"${text}" is not a platform: write os/arch or os/arch/variant, such as linux/amd64 or linux/arm/v7`,
    );
  }
  const platform = normalizePlatform(variant ? { os, architecture, variant } : { os, architecture });
  assertKnown(text, 'operating system', platform.os, OPERATING_SYSTEMS);
  assertKnown(text, 'architecture', platform.architecture, ARCHITECTURES);
  if (platform.variant && !/^v?\d{1,2}(\.\d)?$/.test(platform.variant)) {
    throw new PlatformError(
      `"${text}" is not a platform: "${platform.variant}" is no variant; write v6, v7 or v8`,
    );
  }
  return platform;
}

function assertKnown(text: string, what: string, name: string, known: string[]): void {
  if (known.includes(name)) return;
  const near = closest(name, known);
  const hint = distance(name, near) <= 3 ? `did you mean ${near}?` : `known are ${known.join(', ')}`;
  throw new PlatformError(`"${text}" is not a platform: there is no ${what} "${name}"; ${hint}`);
}

/**
 * The one form in which platforms are compared: aliases resolved, `arm64/v8` written `arm64`, `arm` without a
 * variant read as `arm/v7`, `amd64/v1` written `amd64` (the rules of containerd's platforms package, which
 * BuildKit and the container runtimes use).
 */
export function normalizePlatform(platform: Platform): Platform {
  const alias = ARCH_NAMES.get(platform.architecture);
  const architecture = alias?.architecture ?? platform.architecture;
  const variant = normalVariant(architecture, platform.variant || alias?.variant || '');
  const { variant: _, ...rest } = platform;
  const base = { ...rest, os: OS_NAMES.get(platform.os) ?? platform.os, architecture };
  return variant ? { ...base, variant } : base;
}

function normalVariant(architecture: string, variant: string): string {
  const named = /^\d/.test(variant) ? `v${variant}` : variant;
  if (architecture === 'arm64' && named === 'v8') return '';
  if (architecture === 'amd64' && named === 'v1') return '';
  if (architecture === 'arm' && named === '') return 'v7';
  return named;
}

/** A platform as text in normal form, with Windows' OS version: `linux/arm/v7`, `windows(10.0.20348)/amd64`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant, 'os.version': version } = normalizePlatform(platform);
  return [version ? `${os}(${version})` : os, architecture, variant].filter(Boolean).join('/');
}

/** Whether two platforms are the same in normal form. */
export function samePlatform(one: Platform, other: Platform): boolean {
  return formatPlatform(one) === formatPlatform(other);
}

/**
 * Whether an image's platform answers a wish. A wish without an OS version takes any version.
 */
export function answersPlatform(wish: Platform, image: Platform): boolean {
  if (wish['os.version']) return samePlatform(wish, image);
  const { 'os.version': _, ...anyVersion } = image;
  return samePlatform(wish, anyVersion);
}

/** The platform that BuildKit gives to attestation manifests, so that no runtime ever picks one. */
export function isUnknownPlatform(platform: Platform | undefined): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}
