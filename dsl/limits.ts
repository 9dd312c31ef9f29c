// How large a recipe may be. Far beyond what anyone writes, low enough that every stage may recurse over a tree.

/** In UTF-16 units. A recipe that names ten thousand models and patterns has about a million. */
export const MAX_RECIPE_LENGTH = 4 * 1024 * 1024;

/** Levels of brackets, braces and operators in one statement; the height of its tree. */
export const MAX_NESTING = 256;

/** A file with more errors than this is something else than a recipe. */
export const MAX_DIAGNOSTICS = 100;
