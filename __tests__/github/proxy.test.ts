import { describe, expect, test } from '@jest/globals';
import { readProxy } from '../../src/github/proxy.ts';
import { Problems } from '../../src/problems.ts';

function problemsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readProxy(environment);
    return [];
  } catch (error) {
    if (error instanceof Problems) return error.problems;
    throw error;
  }
}

describe('the proxies of the environment', () => {
  test('are none where it names none', () => {
    expect(readProxy({ HTTP_PROXY: '', https_proxy: ' ' })).toEqual({});
  });

  test('are those in small letters, and else those in capitals', () => {
    expect(
      readProxy({
        http_proxy: 'http://small:1',
        HTTP_PROXY: 'http://large:1',
        HTTPS_PROXY: 'https://user:p%40ss@large:2',
        NO_PROXY: 'localhost',
      }),
    ).toEqual({ http: 'http://small:1', https: 'https://user:p%40ss@large:2', no: 'localhost' });
  });

  test.each(['proxy.corp:3128', 'proxy', '10.0.0.1:3128', '[::1]:3128', 'user:pass@proxy:3128'])(
    'are spoken to over HTTP where no scheme says otherwise: %s',
    (text) => {
      expect(readProxy({ HTTPS_PROXY: text })).toEqual({ https: `http://${text}` });
    },
  );

  test.each([
    ['::bad::', '::bad::'],
    ['http://', 'http://'],
    ['proxy:port', 'proxy:port'],
    ['socks5://proxy:1080', 'socks5://proxy:1080'],
    ['http://me:hunter/2@proxy:3128', 'http://…@proxy:3128'],
    ['http://me:hunter2%@proxy:3128', 'http://…@proxy:3128'],
    ['me:hunter2@proxy:port', '…@proxy:port'],
  ])('are refused by the name of the variable, without a password: %s', (text, shown) => {
    const problems = problemsOf({ https_proxy: text, HTTP_PROXY: text });
    expect(problems).toEqual([
      expect.stringContaining(`HTTP_PROXY: "${shown}" is no proxy that can be used: write http://HOST:PORT`),
      expect.stringContaining(`https_proxy: "${shown}" is no proxy that can be used: write http://HOST:PORT`),
    ]);
    expect(problems.join()).not.toContain('hunter');
  });
});
