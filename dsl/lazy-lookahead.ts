// Chevrotain's lookahead, computed for a place of the grammar when a text first gets there. It would compute all of them to
// build the parser, in a fifth of the time that a short command takes, and a recipe comes by a third.

import { type ILookaheadStrategy, LLkLookaheadStrategy } from "chevrotain";

export function lazyLookahead(maxLookahead: number): ILookaheadStrategy {
  const eager = new LLkLookaheadStrategy({ maxLookahead });
  return {
    validate: (options) => eager.validate(options),
    buildLookaheadForAlternation: (options) => atFirstCall(() => eager.buildLookaheadForAlternation(options)),
    buildLookaheadForOptional: (options) => atFirstCall(() => eager.buildLookaheadForOptional(options)),
  };
}

/** Chevrotain calls it as a method of the parser. */
function atFirstCall<Parameters extends unknown[], Result>(
  build: () => (...parameters: Parameters) => Result,
): (...parameters: Parameters) => Result {
  let built: ((...parameters: Parameters) => Result) | undefined;
  return function (this: unknown, ...parameters) {
    built ??= build();
    return built.apply(this, parameters);
  };
}
