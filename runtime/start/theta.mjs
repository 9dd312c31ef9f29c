// dist/theta.js: theta.

import { loadProgram, runProgram } from "./program.mjs";

runProgram(loadProgram());
