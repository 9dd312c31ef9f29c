// Headers as every writer leaves them, read by V8's own parser, a tenth of the time that reading them character by character
// takes. It believes nothing either: whatever is not exactly what would be written of what was read (a name twice, another
// spelling of a number, white space) is not plain, and is left to the reader that says what is wrong.

/** An entry as the header states it; offsets count from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Longer ones, of tens of thousands of tensors, could be made to take much memory before anything is known of them. */
const LONGEST = 1 << 22;
const BLANK = 0x20;

/** Undefined for any other text, good or bad. */
export function readPlainHeader(text: string, mostDimensions: number): Entry[] | undefined {
  // Escapes may hide halves of surrogate pairs; writers have no need of any.
  if (text.length > LONGEST || text.includes("\\") || text.includes("[[")) return undefined;
  const header = parsed(text);
  if (!isObject(header)) return undefined;
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (!isObject(value)) return undefined;
    if (name === "__metadata__") {
      if (!Object.values(value).every((text) => typeof text === "string")) return undefined;
      continue;
    }
    const { dtype, shape, data_offsets: offsets, ...others } = value;
    if (typeof dtype !== "string" || !areCounts(shape) || !areCounts(offsets)) return undefined;
    const [begin, end] = offsets;
    if (shape.length > mostDimensions || offsets.length !== 2 || Object.keys(others).length > 0) return undefined;
    entries.push({ name, dtype, shape, begin: begin!, end: end! });
  }
  return entries;
}

/** What would be written as this text. */
function parsed(text: string): unknown {
  let end = text.length;
  // Writers fill up with blanks.
  while (text.charCodeAt(end - 1) === BLANK) end--;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text.slice(0, end) ? value : undefined;
  } catch {
    // Or too deep for V8: the other reader says what is wrong.
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
