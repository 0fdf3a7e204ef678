/** What a call is answered with: fields, and fields of fields. */
export interface Fields {
  readonly [name: string]: string | Fields;
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/**
 * The answer to a call of the query protocol.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function queryAnswer(operation: string, { result, id }: { result: Fields; id: string }): string {
  const content = toXml({ [`${operation}Result`]: result, ResponseMetadata: { RequestId: id } });
  return `<${operation}Response xmlns="${NAMESPACE}">${content}</${operation}Response>`;
}

/**
 * The answer to a call that failed.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
export function queryError({
  status,
  code,
  message,
  id,
}: {
  status: number;
  code: string;
  message: string;
  id: string;
}): string {
  const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  return `<ErrorResponse xmlns="${NAMESPACE}">${toXml({ Error: error, RequestId: id })}</ErrorResponse>`;
}

function toXml(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${name}>${typeof value === 'string' ? escaped(value) : toXml(value)}</${name}>`)
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
