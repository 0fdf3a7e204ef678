import { describe, expect, test } from '@jest/globals';
import type { Authorization } from '../../src/ecr/api.ts';
import { RegistryToken } from '../../src/ecr/token.ts';
import { turn } from '../support/memory.ts';

const HOUR = 3600 * 1000;

/** A region that gives out token after token, each good for 12 hours; `fail` makes the next call fail. */
function region(lifetime = 12 * HOUR) {
  const state = { calls: 0, now: 0, fail: false, masked: Array.of<string>() };
  const authorize = async (): Promise<Authorization> => {
    state.calls += 1;
    const token = `token ${state.calls}`;
    await turn();
    if (state.fail) throw new Error('throttled');
    return { token, expiresAt: state.now + lifetime, proxyEndpoint: 'https://registry.example' };
  };
  const api = { authorize };
  const token = new RegistryToken(
    api,
    (secret) => state.masked.push(secret),
    () => state.now,
  );
  return { state, token };
}

describe("a region's token", () => {
  test('is asked for once by many at once, and shared by all later', async () => {
    const { state, token } = region();
    const headers = await Promise.all([
      token.header(),
      token.header(),
      token.current().then(() => token.header()),
    ]);
    expect([...headers, await token.header()]).toEqual(Array.from({ length: 4 }, () => 'Basic token 1'));
    expect(state.calls).toBe(1);
  });

  test('is renewed a while before it ends, once for all', async () => {
    const { state, token } = region();
    await token.header();
    state.now = 11.7 * HOUR;
    expect(await token.header()).toBe('Basic token 1');
    state.now = 11.8 * HOUR;
    expect(await Promise.all([token.header(), token.header(), token.header()])).toEqual([
      'Basic token 2',
      'Basic token 2',
      'Basic token 2',
    ]);
    expect(state.calls).toBe(2);
  });

  test('is renewed once for many that were refused with it', async () => {
    const { state, token } = region();
    const refused = await token.header();
    const headers = await Promise.all(Array.from({ length: 5 }, () => token.header(refused)));
    expect(new Set(headers)).toEqual(new Set(['Basic token 2']));
    expect(state.calls).toBe(2);
  });

  test('is not renewed for one that was refused with an older one', async () => {
    const { state, token } = region();
    const refused = await token.header();
    await token.header(refused);
    expect(await token.header(refused)).toBe('Basic token 2');
    expect(state.calls).toBe(2);
  });

  test('is asked for again after a failure', async () => {
    const { state, token } = region();
    state.fail = true;
    const outcomes = await Promise.allSettled([token.header(), token.header()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    state.fail = false;
    expect(await token.header()).toBe('Basic token 2');
  });

  test('that is good for minutes only is used for half of them', async () => {
    const { state, token } = region(HOUR / 6);
    await token.header();
    state.now = HOUR / 12 - 1;
    expect(await token.header()).toBe('Basic token 1');
    state.now = HOUR / 12;
    expect(await token.header()).toBe('Basic token 2');
  });

  test('is used until it is refused, where the clock of this machine says that it had ended before it was given', async () => {
    const { state, token } = region(-HOUR);
    await token.header();
    const refused = await token.header();
    expect(refused).toBe('Basic token 1');
    expect(await token.header(refused)).toBe('Basic token 2');
    expect(state.calls).toBe(2);
  });

  test('is masked before it is given to anybody', async () => {
    const { state, token } = region();
    const given = await token.header();
    expect(state.masked.map((secret) => `Basic ${secret}`)).toEqual([given]);
  });
});
