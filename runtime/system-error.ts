// What the system calls an error. Node has no name for some, such as a full quota (EDQUOT) or a file that a server no longer
// knows (ESTALE): the code of these is "UNKNOWN" or "Unknown system error -122".

import { constants } from "node:os";

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/**
 * Of an error of Node's or the addon's file system calls, or of the engine, whose code is "io" and whose number is positive;
 * undefined of any other.
 */
export function systemErrorName(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  if (typeof code !== "string") return undefined;
  if (/^E[A-Z0-9]+$/.test(code)) return code;
  return errno !== undefined && (code === "io" || syscall !== undefined) ? NAMES.get(Math.abs(errno)) : undefined;
}

/** What it says, for people; an error without a name in Node says "Unknown system error -122" twice. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(
    /^(Unknown system error -\d+: )?Unknown system error -\d+/,
    systemErrorName(error) ?? "$&",
  );
}

/** Neither the disk nor the quota of whoever writes to it has room. */
export function isNoSpace(name: string | undefined): boolean {
  return name === "ENOSPC" || name === "EDQUOT";
}
