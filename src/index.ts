import * as core from '@actions/core';
import { runAction } from './main.ts';

// A library that unpacks artifacts still calls Buffer(), and the warning about it tells users nothing.
process.noDeprecation = true;

await runAction(core, process.env);
