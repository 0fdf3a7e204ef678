import { describeFaults } from './suite.ts';

describeFaults(
  'Faults of opening, reading and asking',
  [
    'token',
    'look',
    'create',
    'source token',
    'source tag',
    'source image',
    'source blob',
    'source storage',
    'region image',
    'region blob',
    'region storage',
    'layers',
    'HEAD image',
  ],
  0,
);
