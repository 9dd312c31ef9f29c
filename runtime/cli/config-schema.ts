// JSON Schema (2020-12) of a settings file; ajv compiles it when there is a file to check.

export const CONFIG_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "theta settings",
  type: "object",
  additionalProperties: false,
  properties: {
    store: {
      type: "string",
      minLength: 1,
      // No system call takes a path with a NUL in it.
      pattern: "^[^\\0]*$",
      description: "where results are kept, relative to the settings file",
    },
    threads: { type: "integer", minimum: 1, maximum: 1024, description: "threads that compute" },
    memory: {
      type: "string",
      pattern: "^[0-9]+(\\.[0-9]+)?(kB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
      description: "bound of the tensor buffers, at least 64MiB",
    },
    device: { enum: ["auto", "cpu"], description: "where tensor work runs" },
    color: { enum: ["auto", "always", "never"], description: "colour of human output" },
  },
} as const;

/** A checked settings file. */
export interface ConfigFile {
  readonly store?: string;
  readonly threads?: number;
  readonly memory?: string;
  readonly device?: "auto" | "cpu";
  readonly color?: "auto" | "always" | "never";
}
