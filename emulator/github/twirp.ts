import type { ServerResponse } from 'node:http';

/** The fields of a message, as they came. */
export type Fields = Map<string, unknown>;

/** What a Twirp service answers instead of a result. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Reads a message. */
export function parse(json: string): Fields {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) throw new Refusal(400, 'malformed', 'not an object');
  return new Map<string, unknown>(Object.entries(value));
}

/** A field that may be left out. */
export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields.get(name);
  if (value !== undefined && typeof value !== 'string') {
    throw new Refusal(400, 'invalid_argument', `${name} is no string`);
  }
  return value;
}

/** A field that must be there. */
export function text(fields: Fields, name: string): string {
  const value = optionalText(fields, name);
  if (value === undefined) throw new Refusal(400, 'invalid_argument', `${name} is missing`);
  return value;
}

/** Answers with a message. */
export function json(response: ServerResponse, status: number, value: Record<string, unknown>): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
