import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Descriptor } from '../../image/descriptor.ts';
import type { Digest } from '../../image/digest.ts';
import type { ManifestContent } from '../../image/manifest.ts';

/**
 * What a registry is, behind the HTTP of the distribution API. The server speaks the protocol; a backend decides
 * who may ask, what is there, and what is refused. It refuses by throwing a Refusal.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export interface Backend {
  /** Where this registry departs from the specification. */
  readonly quirks: Quirks;
  /** Lets the request pass, or throws a Refusal. */
  authenticate(request: IncomingMessage): void;
  /** The repository of that name, or a Refusal (NAME_UNKNOWN). */
  repository(name: string, request: IncomingMessage): Promise<RepositoryBackend>;
}

export interface Quirks {
  /** The status of a successful PATCH: 202 by the specification, 201 from ECR. */
  readonly patchStatus: 201 | 202;
  /** Whether GET of a manifest carries `Docker-Content-Digest`, which ECR leaves out. */
  readonly digestOnGet: boolean;
  /** Whether GET of an upload tells how far it is; ECR answers 404. */
  readonly uploadStatus: boolean;
  /** The most names that one page of tags/list may ask for (`n`); more is refused as UNSUPPORTED. */
  readonly maxTagPage: number;
  /** The length of a page of tags/list that does not say `n`. */
  readonly defaultTagPage: number;
  /** Whether the cursor of tags/list is a secret of the registry's, so that only its Link leads on. */
  readonly opaqueTagCursor: boolean;
  /** The length of a page of referrers. */
  readonly referrersPage: number;
  /** Whether the Location of an upload names the host too, as ECR's does; a bare path is the safe form. */
  readonly absoluteLocation: boolean;
  /** The length in bytes at which the Range that an upload's answers tell stops growing, as ECR's does. */
  readonly firstPart?: number;
}

/** The quirks of a registry that has none. */
export const BY_THE_BOOK: Quirks = {
  patchStatus: 202,
  digestOnGet: true,
  uploadStatus: true,
  maxTagPage: 10_000,
  defaultTagPage: 1_000,
  opaqueTagCursor: false,
  referrersPage: 1_000,
  absoluteLocation: false,
};

export interface RepositoryBackend {
  /** The blob's size in bytes, or nothing when it is not there. */
  statBlob(digest: Digest): Promise<number | undefined>;
  /** The blob's content, or where it is, or nothing. */
  readBlob(digest: Digest): Promise<BlobContent | BlobElsewhere | undefined>;
  /** Takes a blob over from another repository; false when the client has to upload it. */
  mountBlob(digest: Digest, from: string): Promise<boolean>;
  beginUpload(): Promise<Upload>;
  /** The upload of that id that is still open. */
  upload(id: string): Upload | undefined;
  /**
   * The manifest under a tag or a digest.
   * @param accept the media types that the client names, in its order; none when it names none
   */
  readManifest(reference: string, accept: readonly string[]): Promise<ManifestContent | undefined>;
  /** Keeps a manifest under its digest, and under the tag if the reference is one. */
  writeManifest(reference: string, content: ManifestContent): Promise<void>;
  /** Removes a tag, or a manifest with all its tags; false when there was none. */
  deleteManifest(reference: string): Promise<boolean>;
  /** All tags, sorted. */
  tags(): Promise<string[]>;
  /** The manifests whose subject is this digest. */
  referrers(digest: Digest): Promise<Descriptor[]>;
}

export interface BlobContent {
  readonly kind: 'content';
  /** In bytes. */
  readonly size: number;
  /** Opens the bytes from `start` up to and with `end`. */
  open(range?: { start: number; end: number }): Readable;
}

export interface BlobElsewhere {
  readonly kind: 'elsewhere';
  readonly location: string;
}

/** One blob on its way in. */
export interface Upload {
  readonly id: string;
  /** Bytes received so far. */
  readonly received: number;
  /**
   * Appends a body. When the whole blob is known beforehand (a monolithic PUT), `whole` tells its digest and its
   * size in bytes, so that it can be passed on while it still arrives.
   */
  append(body: Readable, whole?: { digest: Digest; size: number }): Promise<void>;
  /** Ends the upload: keeps the blob if the content has this digest, else throws a Refusal and drops it. */
  commit(digest: Digest): Promise<void>;
  /** Drops what came so far. */
  abort(): Promise<void>;
}
