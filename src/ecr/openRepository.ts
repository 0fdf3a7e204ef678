import type { Authorizer } from '../distribution/auth.ts';
import { Repository } from '../distribution/repository.ts';
import { retryLine } from '../distribution/retry.ts';
import { createSession, type Session } from '../distribution/session.ts';
import type { EcrCollaborators } from './target.ts';

/** A repository, and how it is spoken to. */
interface Spoken {
  /** The registry's own origin, the only one that is sent its credentials. */
  readonly origin: string;
  readonly repository: string;
  /** How messages name it. */
  readonly name: string;
  readonly authorizer: Authorizer;
  /** Holds requests back, where there is a reason to; by default they are sent at once. */
  readonly paced?: (session: Session) => Session;
}

/** A repository of whatever registry, whose failures are tried again and said. */
export function openRepository(
  { origin, repository, name, authorizer, paced = (session) => session }: Spoken,
  { transport, retry, log }: Pick<EcrCollaborators, 'transport' | 'retry' | 'log'>,
): Repository {
  return new Repository({
    origin,
    name: repository,
    session: paced(createSession(origin, transport, authorizer)),
    retry,
    onRetry: (error, pause) => log.info(retryLine(name, error, pause)),
  });
}
