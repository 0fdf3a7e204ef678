import fc from 'fast-check';

/** A parser of outside data, what it may be given, and what it promises. */
export interface Parser {
  readonly name: string;
  /** How many inputs are tried; fewer where each takes its time. */
  readonly runs?: number;
  /** Gives it an input, and checks what it promises of what it accepts. */
  readonly property: fc.IRawProperty<unknown>;
}

/** What a parser is given, what it does, and what it may throw. */
interface Definition<T> {
  readonly input: fc.Arbitrary<T>;
  readonly parse: (input: T) => unknown;
  /** The parser's own errors; none by default. */
  readonly refuses?: readonly (abstract new (
    ...args: never[]
  ) => Error)[];
  readonly runs?: number;
}

/** How long one input may take, in milliseconds: what takes longer has no bound. */
const LIMIT = 2_000;

/**
 * A parser that accepts an input, or throws an error of its own, in no time, and leaves the prototypes alone. What it does
 * beyond that, `parse` checks by itself.
 */
export function parser<T>(name: string, { input, parse, refuses = [], runs }: Definition<T>): Parser {
  const property = fc.asyncProperty(input, async (value) => {
    const begun = performance.now();
    try {
      await parse(value);
    } catch (error) {
      if (!refuses.some((kind) => error instanceof kind)) throw error;
    }
    if (performance.now() - begun > LIMIT) throw new Error('it took too long');
    assertUnpolluted();
  });
  return { name, property, ...(runs !== undefined && { runs }) };
}

function assertUnpolluted(): void {
  for (const prototype of [Object.prototype, Array.prototype, String.prototype, Function.prototype]) {
    if (Object.keys(prototype).length > 0) throw new Error('a prototype was polluted');
  }
}

/** Says what a parser should have promised. */
export function promise(kept: boolean, what: string): void {
  if (!kept) throw new Error(`what was accepted is not so: ${what}`);
}

const ODD_TEXTS: readonly string[] = [
  ...[
    '',
    ' ',
    '\n',
    '\r\n',
    '\u0000',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u202e',
    'ü',
    '🐳',
    '\ud800',
    '%00',
    '%2e%2e',
  ],
  ...[
    '../',
    '..',
    '/',
    '\\',
    ':',
    '::',
    '@',
    '#',
    '?',
    '&',
    '=',
    ',',
    ';',
    '"',
    "'",
    '`',
    '|',
    '<',
    '>',
    '[',
    ']',
    '*',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'null', 'NaN', '-1', '1e999', '9'.repeat(400)],
  ...[
    '::set-output name=a::b',
    '##[add-mask]x',
    '<img src=x>',
    'a'.repeat(5_000),
    '-'.repeat(2_000),
    '.a'.repeat(2_000),
  ],
];

const oddTexts = fc.constantFrom(...ODD_TEXTS);

/** Texts like these, and such as nobody would write. */
export function texts(...seeds: readonly string[]): fc.Arbitrary<string> {
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(3), put: oddTexts });
  const changed = fc
    .tuple(fc.constantFrom('', ...seeds), fc.array(change, { maxLength: 3 }))
    .map(([seed, changes]) =>
      changes.reduce((text, { at, cut, put }) => {
        const position = Math.floor(at * text.length);
        return text.slice(0, position) + put + text.slice(position + cut);
      }, seed),
    );
  return fc.oneof(
    { weight: 5, arbitrary: changed },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...':/@.-_=#,"\n\\[]{}a1'.split('')) }) },
  );
}

/** Stands for lists in lists, deeper than any recursion goes. */
const DEEP = '<deep>';
const LEVELS = 20_000;

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 2 ** 53, 1e308, [], {}, [[]], [null], DEEP),
  oddTexts,
  fc.jsonValue(),
  fc.constant(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')),
);

/** JSON like this, with some of it changed for something else, taken away, or put in by a name that means something. */
export function jsonTexts(...seeds: readonly unknown[]): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat(),
    what: fc.constantFrom('replace', 'remove', 'add', 'repeat'),
    key: fc.oneof(oddTexts, fc.constantFrom('__proto__', 'mediaType', 'manifests', 'layers')),
    value: odd,
  });
  const changed = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 3 }))
    .map(([seed, changes]) => {
      const root = { value: structuredClone(seed) };
      for (const { at, what, key, value } of changes) {
        const places = placesIn(root);
        const place = places[at % places.length];
        if (place) apply(place, what, key, structuredClone(value));
      }
      const text = JSON.stringify(root.value) ?? '';
      return text.replace(`"${DEEP}"`, '['.repeat(LEVELS) + ']'.repeat(LEVELS));
    });
  return fc.oneof(
    { weight: 6, arbitrary: changed },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: texts('{"a":[1]}') },
  );
}

interface Place {
  readonly holder: object;
  readonly key: string;
}

function placesIn(holder: object): Place[] {
  return Object.entries(holder).flatMap(([key, value]) => [
    { holder, key },
    ...(typeof value === 'object' && value !== null ? placesIn(value) : []),
  ]);
}

function apply({ holder, key }: Place, what: string, name: string, value: unknown): void {
  // Defined rather than assigned: by the name __proto__, too, it is to be a key of its own.
  const put = (at: string, written: unknown) =>
    Object.defineProperty(holder, at, {
      value: written,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  if (what === 'remove') Reflect.deleteProperty(holder, key);
  else if (what === 'add' && !Array.isArray(holder)) put(name, value);
  else if (what === 'repeat')
    put(
      key,
      Array.from({ length: 40 }, () => structuredClone(Reflect.get(holder, key))),
    );
  else put(key, value);
}

/** A text as bytes, or bytes that are none. */
export function bytesOf(arbitrary: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 5, arbitrary: arbitrary.map((text) => new Uint8Array(Buffer.from(text))) },
    { weight: 1, arbitrary: fc.uint8Array() },
    {
      weight: 1,
      arbitrary: arbitrary.map((text) => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'))),
    },
  );
}
