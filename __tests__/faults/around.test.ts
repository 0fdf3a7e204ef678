import { describeFaults } from './suite.ts';

describeFaults(
  'Faults of roles, of ECR Public, and of legs, kept images and tags beside',
  [
    'web role',
    'role',
    'public token',
    'bearer token',
    'public tag',
    'leg tag',
    'leg digest',
    'leg image',
    'leg config',
    'leg storage',
    'kept image',
    'kept blob',
    'kept write',
    'tag beside',
  ],
  2_000,
);
