// Whether this Node can run theta, asked before anything that an older one lacks is loaded.

/** As in package.json's `engines`: the first with all that is used. */
const LEAST = [20, 19] as const;

/** What to say, or undefined when all is well. `version` is such as "20.19.0". */
export function tooOldNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return undefined;
  return `theta needs Node ${LEAST.join(".")} or later; this is Node ${version}\n   help: install a newer Node, such as the current LTS release\n`;
}
