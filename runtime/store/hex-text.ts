// Text out of the index, asked for as hex(…): libsql ends the process over text that is not UTF-8, which damage makes.

export function textOf(hex: string): string {
  return Buffer.from(hex, "hex").toString("utf8");
}
