import { describe, expect, test } from '@jest/globals';
import { parseLines, parseList, parseSecrets } from '../../src/inputs/lists.ts';
import { BUILD, problemsOf, STITCH } from './read.ts';

describe('a list by newline or comma', () => {
  test.each<[what: string, text: string, entries: string[]]>([
    ['an empty text has none', '', []],
    ['white space alone has none', ' \n\t\n', []],
    ['commas alone have none', ',,\n,', []],
    ['commas and newlines separate alike', 'a,b\nc', ['a', 'b', 'c']],
    ['white space around an entry is no part of it', '  a , b\t\n  c  ', ['a', 'b', 'c']],
    ['empty lines and entries are skipped', 'a\n\n,b,\n', ['a', 'b']],
    ['CRLF ends a line too', 'a\r\nb,c\r\n', ['a', 'b', 'c']],
    ['"#" is no comment', '# a\nb # c', ['# a', 'b # c']],
    ['quotes keep a comma', '"a,b",c', ['a,b', 'c']],
    ['quotes in the middle stay', 'say "a"', ['say "a"']],
    ['lines may have different lengths', 'a\nb,c,d\ne,f', ['a', 'b', 'c', 'd', 'e', 'f']],
  ])('%s', (_, text, entries) => {
    expect(parseList(text)).toEqual(entries);
  });
});

describe('a list by newline', () => {
  test.each<[what: string, text: string, entries: string[]]>([
    ['an empty text has none', '\n \n', []],
    ['a comma belongs to its entry', 'type=gha,scope=a\nb', ['type=gha,scope=a', 'b']],
    ['white space around an entry is no part of it', '  a=1  \n\tb=2', ['a=1', 'b=2']],
    ['CRLF ends a line too', 'a=1\r\nb=2\r\n', ['a=1', 'b=2']],
    ['"#" is no comment', 'COLOR=#fff\n#a=1', ['COLOR=#fff', '#a=1']],
    ['quotes around an entry go', '"A=1,2"\nB=3', ['A=1,2', 'B=3']],
    ['quotes inside an entry stay', 'A="1"', ['A="1"']],
    ['an entry in quotes may span lines', '"A=1\n2"\nB=3', ['A=1\n2', 'B=3']],
  ])('%s', (_, text, entries) => {
    expect(parseLines(text)).toEqual(entries);
  });
});

describe('secrets', () => {
  test.each<[what: string, text: string, entries: string[]]>([
    ['white space belongs to the value', 'a= two  \nb=\tthree', ['a= two  ', 'b=\tthree']],
    ['a comma belongs to the value', 'a=1,2', ['a=1,2']],
    [
      'a value in quotes spans lines',
      '"key=-----BEGIN\nabc\n\n-----END\n"',
      ['key=-----BEGIN\nabc\n\n-----END\n'],
    ],
    ['two quotes are one in a value in quotes', '"json={""a"": ""b""}"', ['json={"a": "b"}']],
    ['a value without quotes around it keeps those inside', 'json={"a":"b"}', ['json={"a":"b"}']],
    ['empty lines between them are skipped', 'a=1\n\n  \nb=2\n', ['a=1', 'b=2']],
    ['CRLF ends a line and is no part of the value', 'a=1\r\nb=2\r\n', ['a=1', 'b=2']],
    ['"#" is no comment', 'a=#1', ['a=#1']],
  ])('%s', (_, text, entries) => {
    expect(parseSecrets(text)).toEqual(entries);
  });
});

describe('a quote that nothing ends', () => {
  const why =
    'an entry begins with a double quote that nothing ends: end it with another one, or, where the quote is part of the entry, write """ for it and " at the end';

  test.each([
    ['tags', { ...STITCH, tags: 'v1,"v2' }, 'v1,"v2'],
    ['regions', { ...BUILD, regions: '"us-east-1,\neu-west-1' }, '"us-east-1, eu-west-1'],
    ['runners', { mode: 'plan', platforms: 'linux/arm64', runners: '"linux/arm64=x' }, '"linux/arm64=x'],
  ])('is told once of %s, with what stands there', async (name, values, shown) => {
    expect(await problemsOf(values)).toEqual([`input "${name}": "${shown}": ${why}`]);
  });

  test.each(['build-args', 'cache-to', 'secrets'])('is told of %s without its text', async (name) => {
    expect(await problemsOf({ ...BUILD, [name]: '"A=hunter2' })).toEqual([`input "${name}": ${why}`]);
  });

  test('may be written as that says where it belongs to an entry', () => {
    expect(parseLines('"""a"')).toEqual(['"a']);
  });
});
