import * as core from '@actions/core';
import { runAction } from './main.ts';

await runAction(core, process.env);
