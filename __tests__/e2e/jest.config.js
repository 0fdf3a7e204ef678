import { fileURLToPath } from 'node:url';
import unitTests from '../../jest.config.js';

/** Started by main.ts, which has the engines running before the first suite. */
export default {
  ...unitTests,
  rootDir: fileURLToPath(new URL('../..', import.meta.url)),
  testMatch: ['<rootDir>/__tests__/e2e/suites/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/node_modules/'],
  testTimeout: 900_000,
  verbose: true,
};
