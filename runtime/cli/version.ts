// The package's version; the bundler puts it in.

declare const THETA_VERSION: string | undefined;

/** "0.0.0-source" when the sources run unbundled, as in tests. It enters no key. */
export const VERSION: string = typeof THETA_VERSION === "string" ? THETA_VERSION : "0.0.0-source";
