// What a command line asks for.

export type CacheAction = "status" | "gc" | "verify";

/** Flags as typed; absent means not given. Lists keep their order, whether they stood before or behind the verb. */
export interface Flags {
  readonly directory?: string;
  readonly config?: string;
  readonly param: readonly string[];
  readonly params?: string;
  readonly store?: string;
  readonly threads?: string;
  readonly memory?: string;
  readonly device?: string;
  readonly json?: true;
  readonly color?: string;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly only: readonly string[];
  readonly allowOutside?: true;
  readonly trustRemoteStat?: true;
  readonly detailedExitcode?: true;
  readonly hash?: true;
  readonly force?: true;
  readonly keepGoing?: true;
  readonly locked?: true;
  readonly check?: true;
  readonly adopt?: true;
  readonly wait?: boolean;
  readonly format?: string;
  readonly level?: string;
  readonly tensor?: string;
  readonly digests?: boolean;
  readonly stats?: true;
  readonly exitCode?: true;
  readonly maxSize?: string;
  readonly maxAge?: string;
  readonly dryRun?: true;
  readonly repair?: true;
}

export type Request =
  | { readonly verb: RecipeVerb; readonly recipe: string | undefined }
  | { readonly verb: "why"; /** NAME[:TENSOR] */ readonly name: string; readonly recipe: string | undefined }
  | { readonly verb: "inspect"; readonly checkpoint: string }
  | { readonly verb: "diff"; readonly a: string; readonly b: string }
  | { readonly verb: "cache"; readonly action: CacheAction; readonly recipe: string | undefined }
  | { readonly verb: "init"; readonly directory: string | undefined };

/** Verbs that take a recipe and nothing else. */
export type RecipeVerb = "build" | "plan" | "check" | "lock" | "explain";

export type Invocation = Request & { readonly flags: Flags };
