// What theta has to say about a recipe or a checkpoint, as data. `render-diagnostic.ts` turns it into text.

import type { DiagnosticCode } from "./diagnostic-codes.ts";
import type { Source, Span } from "./source.ts";

export type Severity = "error" | "warning";

/** A fact with a place of its own, printed behind the message. */
export interface Note {
  readonly message: string;
  readonly span?: Span;
}

/** Replacing `span` by `text` is what the help proposes. */
export interface SuggestedEdit {
  readonly span: Span;
  readonly text: string;
}

/** Where: `span` when there is one, else the whole of `source`, else nowhere in a recipe (a checkpoint, say). */
export interface Diagnostic {
  /** Kebab-case and stable: users silence and search by it. */
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /**
   * "input": the recipe may be right, but a file it names is missing, unreadable or malformed (exit code 66 instead of
   * 65). Absent: the recipe itself is at fault.
   */
  readonly subject?: "input";
  /** Says what is wrong with the value. One sentence, no capital at the start, no full stop. */
  readonly message: string;
  readonly span?: Span;
  readonly source?: Source;
  /** Aligned lines of facts under the message, such as the shapes that differ. */
  readonly facts?: readonly string[];
  readonly notes?: readonly Note[];
  /** What to write instead. */
  readonly help?: string;
  readonly edit?: SuggestedEdit;
}

/** Checks report and go on; a bug throws. */
export type Report = (diagnostic: Diagnostic) => void;
