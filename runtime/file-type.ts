// What lies at a path where a regular file belongs, in words.

interface TypeTests {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** Of anything but a regular file, links followed. */
export function typeInWords(stat: TypeTests): string {
  if (stat.isDirectory()) return "a directory";
  if (stat.isFIFO()) return "a named pipe";
  return stat.isSocket() ? "a socket" : "a device";
}
