// Rows of text under each other in columns.

/**
 * One line a row, each indented by two. `align` has a letter a column: l left, r right. Nothing is padded behind the last
 * column that a row has.
 */
export function textTable(rows: readonly (readonly string[])[], align: string): readonly string[] {
  const widths = [...align].map((_, column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      if (align[column] === "r") return cell.padStart(widths[column]!);
      return column === row.length - 1 ? cell : cell.padEnd(widths[column]!);
    });
    return `  ${cells.join("  ")}`.trimEnd();
  });
}
