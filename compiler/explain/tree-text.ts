// A tree as lines with branches. A line has cells; cells of siblings are aligned.

export interface TreeLine {
  readonly cells: readonly string[];
  readonly children: readonly TreeLine[];
}

export function treeText(root: TreeLine): readonly string[] {
  return [root.cells.join("  "), ...branches(root.children, "")];
}

function branches(lines: readonly TreeLine[], indent: string): string[] {
  const widths: number[] = [];
  for (const { cells } of lines) {
    cells.forEach((cell, column) => {
      // A long cell is not worth pushing every sibling's next one out of sight.
      if (cell.length <= WIDEST_ALIGNED) widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return lines.flatMap(({ cells, children }, index) => {
    const isLast = index === lines.length - 1;
    const text = cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)));
    return [
      `${indent}${isLast ? "└─" : "├─"} ${text.join("  ")}`,
      ...branches(children, `${indent}${isLast ? "   " : "│  "}`),
    ];
  });
}

/** In characters. */
export const WIDEST_ALIGNED = 32;
