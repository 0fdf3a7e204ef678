import { expect, test } from '@jest/globals';
import type { Behaviour } from '../../../emulator/behaviour.ts';
import { startEmulator } from '../../../emulator/emulator.ts';
import type { RepositorySettings } from '../../../emulator/state/settings.ts';
import { errorOf, imageOf, logIn, type Registry } from '../support.ts';

/** Something that a client does with the repository `app`, and what becomes of it. */
export interface Case {
  readonly title: string;
  readonly settings?: Partial<RepositorySettings>;
  readonly behaviour?: Partial<Behaviour>;
  readonly act: (registry: Registry) => Promise<Response>;
  /** The error, where the act is refused. */
  readonly refused?: readonly [status: number, code: string, message?: string];
  /** The status, where it is taken. */
  readonly taken?: number;
}

export const amd64 = imageOf('amd64');
export const arm64 = imageOf('arm64');

/** Runs each case against an emulator of its own. */
export function testCases(cases: readonly Case[]): void {
  const run = async ({ settings, behaviour, act }: Case): Promise<[status: number, ...unknown[]]> => {
    const emulator = await startEmulator({ regions: ['us-east-1'], ...(behaviour && { behaviour }) });
    try {
      emulator.createRepository('app', settings);
      const response = await act(await logIn(emulator, 'us-east-1'));
      return response.ok ? [response.status] : await errorOf(response);
    } finally {
      await emulator.close();
    }
  };
  test.each(cases.filter(({ refused }) => refused))('$title is refused', async (each) => {
    expect((await run(each)).slice(0, each.refused?.length)).toEqual(each.refused);
  });
  test.each(cases.filter(({ taken }) => taken))('$title is taken', async (each) => {
    expect(await run(each)).toEqual([each.taken]);
  });
}
