import * as z from 'zod/mini';
import { StsError } from './errors.ts';

const roleArn = z
  .string('Member must not be null')
  .check(z.minLength(20, 'Member must have length greater than or equal to 20'));

const roleSessionName = z
  .string('Member must not be null')
  .check(
    z.minLength(2, 'Member must have length greater than or equal to 2'),
    z.maxLength(64, 'Member must have length less than or equal to 64'),
    z.regex(/^[\w+=,.@-]*$/, 'Member must satisfy regular expression pattern: [\\w+=,.@-]*'),
  );

const shared = {
  RoleArn: roleArn,
  RoleSessionName: roleSessionName,
  DurationSeconds: z._default(
    z.coerce
      .number()
      .check(
        z.gte(900, 'Member must have value greater than or equal to 900'),
        z.lte(43_200, 'Member must have value less than or equal to 43200'),
      ),
    3_600,
  ),
};

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const assumeRoleSchema = z.object({
  ...shared,
  ExternalId: z.optional(
    z
      .string()
      .check(
        z.minLength(2, 'Member must have length greater than or equal to 2'),
        z.maxLength(1224, 'Member must have length less than or equal to 1224'),
        z.regex(/^[\w+=,.@:/-]*$/, 'Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*'),
      ),
  ),
});

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
export const assumeByTokenSchema = z.object({
  ...shared,
  WebIdentityToken: z
    .string('Member must not be null')
    .check(z.minLength(4, 'Member must have length greater than or equal to 4')),
});

/**
 * Reads the parameters of a call.
 * @throws StsError (ValidationError), which names all that is wrong
 */
export function parseParameters<T extends z.ZodMiniType>(
  schema: T,
  parameters: ReadonlyMap<string, string>,
): z.infer<T> {
  const parsed = z.safeParse(schema, Object.fromEntries(parameters));
  if (parsed.success) return parsed.data;
  const found = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? '');
    const value = parameters.get(name);
    const shown = value === undefined ? 'null' : `'${value}'`;
    return `Value ${shown} at '${name.charAt(0).toLowerCase()}${name.slice(1)}' failed to satisfy constraint: ${message}`;
  });
  const count = `${found.length} validation error${found.length === 1 ? '' : 's'} detected`;
  throw new StsError(400, 'ValidationError', `${count}: ${found.join('; ')}`);
}
