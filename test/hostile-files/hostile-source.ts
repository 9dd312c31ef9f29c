// A source that must be refused: how to make it, and what theta has to say. The tables beside this file list them; the
// reader is tested with them directly, the command line for its exit code.

export interface HostileSource {
  readonly name: string;
  /** How a recipe would declare it. */
  readonly kind: "model" | "adapter" | "vector";
  /** Makes it in or at `path`, which does not exist yet; its parent is an empty directory of its own. */
  readonly make: (path: string) => void;
  readonly code: string;
  /** Whole message; the source's display name is "bad". */
  readonly message: string;
}
