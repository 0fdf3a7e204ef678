import { describeFaults } from './suite.ts';

describeFaults(
  'Faults of uploading, publishing and putting back',
  [
    'HEAD blob',
    'mount',
    'POST upload',
    'PUT upload',
    'PUT image',
    'PUT index',
    'tag before',
    'tag write',
    'read back',
    'undo look',
    'undo write',
    'undo delete',
    'undo keep',
  ],
  1_000,
);
