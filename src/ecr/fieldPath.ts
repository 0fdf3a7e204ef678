import { plain } from '../words.ts';

/** The most of a name or a value that a message repeats, in characters. */
const MOST = 80;

/** Where a field is in a document, as people write it: `rules[0].selection.countUnit`, `platform["os.version"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, position) => {
      if (typeof step === 'number') return `[${step}]`;
      const name = String(step);
      if (!/^[\w-]{1,80}$/.test(name)) return `[${formatValue(name)}]`;
      return position === 0 ? name : `.${name}`;
    })
    .join('');
}

/** A value as JSON, on one line and cut short where it is long. */
export function formatValue(value: unknown): string {
  return plain(JSON.stringify(value) ?? 'nothing', MOST);
}

/** The value that a path leads to in a document, if there is one. */
export function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? Reflect.get(value, step)
        : undefined,
    document,
  );
}
