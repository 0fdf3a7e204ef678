import { describe, expect, test } from '@jest/globals';
import { DISK_FULL, Problems } from '../src/problems.ts';

describe('problems', () => {
  test('are told one a line, and one alone as it is', () => {
    expect(new Problems(['one', 'other']).message).toBe('- one\n- other');
    expect(new Problems(['one']).message).toBe('one');
  });

  test('that are the same in several regions are told once', () => {
    const { message, problems } = new Problems([DISK_FULL, DISK_FULL, 'other', DISK_FULL]);
    expect(problems).toEqual([DISK_FULL, 'other']);
    expect(message).toBe(`- ${DISK_FULL}\n- other`);
    expect(new Problems([DISK_FULL, DISK_FULL]).message).toBe(DISK_FULL);
  });
});
