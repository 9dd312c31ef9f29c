// How large a recipe may be. Far beyond what anyone writes, low enough that every stage may recurse over a tree.

/** In UTF-16 units. A recipe that names ten thousand models has about a million. */
export const MAX_RECIPE_LENGTH = 2 * 1024 * 1024;

/** Brackets and braces inside each other. The parser recurses here, with some forty frames of the stack a level. */
export const MAX_NESTING = 64;

/** Levels of an expression's tree, where each operator of a chain counts as one. */
export const MAX_HEIGHT = 512;

/** A file with more errors than this is something else than a recipe. */
export const MAX_DIAGNOSTICS = 100;
