import { x } from './a.ts';
console.log(x);
const m = await import('@actions/core');
m.info('hi');
