// Chevrotain's lookahead, computed for a place of the grammar when a text first gets there. It would compute all 42 to build
// the parser, which is part of what every command waits for; a short recipe comes by 17.

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
