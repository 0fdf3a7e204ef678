import { setFlagsFromString } from 'node:v8';
import * as core from '@actions/core';
import { runAction } from './main.ts';

// A library that unpacks artifacts still calls Buffer(), and the warning about it tells users nothing.
process.noDeprecation = true;

// Layers pass by in buffers outside of V8's heap. Every few of them are a reason to V8 to search all of the heap, which
// takes a third of the processor's time that an upload costs; counted as part of the heap they are a reason far less often.
setFlagsFromString('--external-memory-accounted-in-global-limit');

// Whoever reads the log may be gone: the step hears of it, and a line that is not read any more fails nothing.
process.stdout.on('error', () => undefined);

const ending = await runAction(core, process.env);
// What was given up may not keep the step from ending; what was said before may still be on its way.
if (ending === 'given up') {
  process.stdout.write('', () => process.exit());
  setTimeout(() => process.exit(), 1_000);
}
