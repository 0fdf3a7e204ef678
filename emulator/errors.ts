import { Refusal } from '../src/distribution/server/refusal.ts';

/** ECR's exceptions, each with the status and the code under which it appears on /v2/. */
const EXCEPTIONS = {
  AccessDeniedException: [403, 'DENIED'],
  EmptyUploadException: [400, 'BLOB_UPLOAD_INVALID'],
  ExpiredTokenException: [403, 'DENIED'],
  ImageAlreadyExistsException: [400, 'TAG_INVALID'],
  ImageDigestDoesNotMatchException: [400, 'DIGEST_INVALID'],
  ImageNotFoundException: [404, 'MANIFEST_UNKNOWN'],
  ImageReferencedByManifestListException: [405, 'UNSUPPORTED'],
  ImageTagAlreadyExistsException: [400, 'TAG_INVALID'],
  InvalidLayerException: [400, 'BLOB_UPLOAD_INVALID'],
  InvalidLayerPartException: [416, 'BLOB_UPLOAD_INVALID'],
  InvalidParameterException: [405, 'UNSUPPORTED'],
  InvalidSignatureException: [403, 'DENIED'],
  InvalidTagParameterException: [405, 'UNSUPPORTED'],
  KmsException: [400, 'UNSUPPORTED'],
  LayerAlreadyExistsException: [400, 'BLOB_UPLOAD_INVALID'],
  LayerPartTooSmallException: [400, 'BLOB_UPLOAD_INVALID'],
  LayersNotFoundException: [404, 'BLOB_UPLOAD_UNKNOWN'],
  LifecyclePolicyNotFoundException: [404, 'UNSUPPORTED'],
  LimitExceededException: [405, 'UNSUPPORTED'],
  MissingAuthenticationTokenException: [401, 'UNAUTHORIZED'],
  ReferencedImagesNotFoundException: [404, 'MANIFEST_BLOB_UNKNOWN'],
  RepositoryAlreadyExistsException: [400, 'NAME_INVALID'],
  RepositoryNotEmptyException: [405, 'UNSUPPORTED'],
  RepositoryNotFoundException: [404, 'NAME_UNKNOWN'],
  RepositoryPolicyNotFoundException: [404, 'UNSUPPORTED'],
  SerializationException: [400, 'UNSUPPORTED'],
  TemplateAlreadyExistsException: [400, 'UNSUPPORTED'],
  TemplateNotFoundException: [404, 'UNSUPPORTED'],
  ThrottlingException: [429, 'TOOMANYREQUESTS'],
  TooManyTagsException: [405, 'UNSUPPORTED'],
  UnknownOperationException: [404, 'UNSUPPORTED'],
  UnrecognizedClientException: [401, 'UNAUTHORIZED'],
  UploadNotFoundException: [404, 'BLOB_UPLOAD_UNKNOWN'],
} as const satisfies Record<string, readonly [status: number, code: string]>;

export type EcrException = keyof typeof EXCEPTIONS;

/** A refusal in ECR's words: an exception in the JSON API, a code on /v2/, and one message for both. */
export class EcrError extends Refusal {
  readonly exception: EcrException;
  /** Further fields of the exception in the JSON API. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    exception: EcrException,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    const [status, code] = EXCEPTIONS[exception];
    super(status, code, message, { headers });
    this.exception = exception;
    this.fields = fields;
  }
}

/** A request's field that does not satisfy what ECR asks of it. */
export function invalidParameter(field: string, constraint: string): EcrError {
  const message = `Invalid parameter at '${field}' failed to satisfy constraint: '${constraint}'`;
  return new EcrError('InvalidParameterException', message);
}

/** A repository's name and where it is, as ECR's messages have it. */
export interface Place {
  readonly name: string;
  readonly account: string;
}

/** A repository that is not there. */
export function repositoryNotFound({ name, account }: Place): EcrError {
  return new EcrError(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry with id '${account}'`,
  );
}

/** The layers that a manifest names and its repository lacks. */
export function layersNotFound(digests: readonly string[], { name, account }: Place): EcrError {
  return new EcrError(
    'LayersNotFoundException',
    `Layers with digests '[${digests.join(', ')}]' required for pushing image into repository with name '${name}' in the registry with id '${account}' do not exist`,
  );
}

/** The children that an index names and its repository lacks. */
export function childrenNotFound(digests: readonly string[], { name, account }: Place): EcrError {
  return new EcrError(
    'ReferencedImagesNotFoundException',
    `Images with digests '[${digests.join(', ')}]' required for pushing image into repository with name '${name}' in the registry with id '${account}' do not exist`,
  );
}
