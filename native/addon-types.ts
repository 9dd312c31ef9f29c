// The type of theta.node, written by hand: the only door to the addon. Tensor bytes never pass through it; JavaScript
// hands over descriptors, offsets and programs, the addon hands back digests and counters.

/** Operations as in compiler/tensor-graph.ts; the addon refuses what it does not know. Kept structural on purpose: native/ knows nothing of compiler/. */
export interface NativeOperation {
  readonly op: string;
}

export interface NativeInput {
  /** Open descriptor; the addon only preads from it. */
  readonly fd: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Size of the payload; needed where the dtype is none of the safetensors format's, else it must agree with the shape. */
  readonly bytes?: number;
  /** Whether to compute the payload's SHA-256 while it passes. */
  readonly digest: boolean;
}

export interface NativeOutput {
  /** Open for writing, already allocated. */
  readonly fd: number;
  readonly offset: number;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** As for inputs. */
  readonly bytes?: number;
  /** "inf" writes what rounding gives; "saturate" replaces infinities made from finite inputs. */
  readonly overflow: "inf" | "saturate";
}

/** Runs a program and writes its result. */
export interface ComputeTask {
  readonly kind: "compute";
  /** For messages only. */
  readonly label: string;
  readonly inputs: readonly NativeInput[];
  readonly operations: readonly NativeOperation[];
  readonly work: "F32" | "F64" | "bytes";
  readonly output: NativeOutput;
  /** Measures the result while it is written. */
  readonly measure?: {
    /** As a measure task does; only for dtypes with arithmetic. */
    readonly alone: boolean;
    /** As compare tasks do, the result being a. */
    readonly against: readonly NativeInput[];
  };
}

/**
 * A place in the canonical order of elements: bits of |x| in W, and a tie. It is that of an element, which need not exist;
 * larger ones come first.
 */
export interface OrderPlace {
  readonly key: bigint;
  readonly tie: bigint;
}

/** The elements of an operation's value from `first` to `last`, both included; none where `last` comes before `first`. */
export interface NativeWindow {
  /** Position of the operation. */
  readonly of: number;
  /** 64-bit stream of the ties. */
  readonly stream: bigint;
  readonly first: OrderPlace;
  readonly last: OrderPlace;
  /** Keeps one in 2^thinning of the elements inside, chosen by their ties, so as if by chance. */
  readonly thinning: number;
  /** More elements are never kept: the thinning is raised. */
  readonly limit: number;
}

/** Runs a program and looks at its values where windows are, or at all of them; writes nothing. */
export interface GatherTask {
  readonly kind: "gather";
  readonly label: string;
  readonly inputs: readonly NativeInput[];
  readonly operations: readonly NativeOperation[];
  readonly work: "F32" | "F64";
  /** Of the values. */
  readonly shape: readonly number[];
  readonly windows: readonly NativeWindow[];
  /** Positions of the operations whose sizes are added up. */
  readonly sums: readonly number[];
  /**
   * Only `run` elements of each `period`, counted and kept as if they were all: a guess at what the rest is like. For programs
   * without masks, and inputs of the same shape; takes no digest.
   */
  readonly sample?: { readonly run: number; readonly period: number };
}

/** One of the tensors whose elements are ranked together. */
export interface RankedTensor {
  readonly inputs: readonly NativeInput[];
  /** The last one's value is ranked. */
  readonly operations: readonly NativeOperation[];
  readonly work: "F32" | "F64";
  /** Has elements. */
  readonly shape: readonly number[];
  /** Whether an element depends on those of the inputs at its place alone, so that a few of them can be looked at. */
  readonly isSampleable: boolean;
  /** 64-bit streams of its ties and of its random words. */
  readonly tie: bigint;
  readonly word: bigint;
}

/** Of a della mask. */
export interface RankRule {
  readonly density: number;
  readonly epsilon: number;
  readonly seed: bigint;
}

/** Where the thresholds of one tensor under one rule go, by number: 32 bits an element, from this byte of the file on. */
export interface RankTarget {
  readonly tensor: number;
  readonly rule: number;
  readonly offset: number;
}

/** Ranks the elements of all tensors in one order and writes thresholds of some. */
export interface RankTask {
  readonly kind: "rank";
  readonly label: string;
  /** In the order of their names, by bytes. */
  readonly tensors: readonly RankedTensor[];
  readonly rules: readonly RankRule[];
  readonly targets: readonly RankTarget[];
  /** Open for reading and writing. */
  readonly to: number;
}

/** Finds elements by rank among what gather tasks kept of several tensors. */
export interface FindTask {
  readonly kind: "find";
  readonly label: string;
  /** In the order of their tensors' names, which is the last thing that elements are ordered by. */
  readonly parts: readonly WindowPart[];
  /** In the canonical order, elements that were not kept counted in. */
  readonly ranks: readonly number[];
}

/** Only the digest and the element counters of one payload. */
export interface HashTask {
  readonly kind: "hash";
  readonly label: string;
  readonly inputs: readonly NativeInput[];
}

/** Copies a payload. The result's digest is that of the bytes that passed, for the caller to compare. */
export interface CopyTask {
  readonly kind: "copy";
  readonly label: string;
  readonly from: { readonly fd: number; readonly offset: number };
  readonly to: { readonly fd: number; readonly offset: number };
  readonly bytes: number;
}

/** Statistics of one payload of a dtype with arithmetic. */
export interface MeasureTask {
  readonly kind: "measure";
  readonly label: string;
  readonly input: NativeInput;
}

/** Compares two payloads of one shape, and of one dtype unless both have arithmetic. */
export interface CompareTask {
  readonly kind: "compare";
  readonly label: string;
  readonly a: NativeInput;
  readonly b: NativeInput;
}

export type NativeTask = (
  ComputeTask | GatherTask | RankTask | FindTask | HashTask | CopyTask | MeasureTask | CompareTask
) & {
  /** Tasks of a lower group run first; 0 unless it is given. */
  readonly group?: number;
};

/** Counts over one input; `first*` are linear indices or −1. Zero for dtypes that are only copied. */
export interface InputCounters {
  readonly nan: number;
  readonly firstNan: number;
  readonly inf: number;
  readonly firstInf: number;
}

/** Of one `magnitude` or `breadcrumbs` operation (`operation` is its position), and of each `select`, which uses a mask. */
export interface MaskCounters {
  readonly operation: number;
  /** Elements kept. */
  readonly kept: number;
  /** Groups with elements of which none is kept, and the first such group's first element, or −1. */
  readonly empty: number;
  readonly firstEmpty: number;
}

/**
 * Over the finite elements, in float64. Sums run in the order that all reductions of theta have, so their bits depend on
 * the elements alone; they are infinite where they leave float64.
 */
export interface TensorStatistics {
  readonly finite: number;
  /** Of either sign. */
  readonly zeros: number;
  /** ±Infinity where no element is finite. */
  readonly least: number;
  readonly largest: number;
  readonly sum: number;
  /** Σ x² */
  readonly squares: number;
}

/** All but the first three over the pairs in which both elements are finite, and 0 for dtypes that are only copied. */
export interface TensorComparison {
  /** The payloads are equal; never for two dtypes. */
  readonly sameBytes: boolean;
  /**
   * Elements whose values differ: two NaN do not, nor do +0 and −0. By their bits for dtypes that are only copied, and
   * −1 where their elements are not whole bytes.
   */
  readonly different: number;
  /** Elements whose bits differ; −1 for two dtypes, and where elements are not whole bytes. */
  readonly differentBits: number;
  readonly finite: number;
  /** Largest |a − b|. */
  readonly largest: number;
  /** Σ |a − b|, Σ (a − b)², Σ a², Σ b², Σ ab, as in TensorStatistics. */
  readonly absolute: number;
  readonly squares: number;
  readonly aSquares: number;
  readonly bSquares: number;
  readonly product: number;
}

/** Of a compute task's result. */
export interface OutputMeasurement {
  /** Of the result, and of what it was compared with. */
  readonly counters: readonly InputCounters[];
  readonly statistics?: TensorStatistics;
  readonly comparison?: TensorComparison;
  /** Of what it was compared with, null where none was asked for. */
  readonly digest: string | null;
}

/** What one tensor has in a window. */
export interface FoundInWindow {
  /** Elements before it, and in it. */
  readonly above: number;
  readonly inside: number;
  /** Of those before it, the ones with the key of `first`; of those behind it, the ones with the key of `last`. */
  readonly tiedAbove: number;
  readonly tiedBelow: number;
  readonly thinning: number;
  readonly kept: number;
  /** For a find task. A few bytes each. */
  readonly elements: Uint8Array;
}

/** What one of the tensors that share a canonical order has in a window. */
export interface WindowPart {
  /** Not to be changed before the task is finished. */
  readonly elements: Uint8Array;
  /** Of its keys. */
  readonly work: "F32" | "F64";
  /** Of `NativeWindow.first` and `.last`, in W. */
  readonly firstKey: bigint;
  readonly lastKey: bigint;
  readonly stream: bigint;
  /** Elements that one which was kept stands for. */
  readonly weight: number;
}

export interface FoundElement {
  /** Number of its part. */
  readonly part: number;
  /** In float64 where any part's work is, else in float32. */
  readonly key: bigint;
  readonly tie: bigint;
  /** By part: elements kept that have this key, and those of them that do not come behind this element. */
  readonly tied: readonly number[];
  readonly tiedBefore: readonly number[];
}

export interface TaskResult {
  /** `sha256:<hex>` of the bytes written; absent for hash tasks. */
  readonly digest?: string;
  /** One an input, null where none was asked for; of a rank task, those of tensor after tensor. */
  readonly inputDigests: readonly (string | null)[];
  readonly inputCounters: readonly InputCounters[];
  readonly masks: readonly MaskCounters[];
  /** Output elements that are not finite though all inputs at that place are. */
  readonly overflow: number;
  readonly firstOverflow: number;
  /** Groups of slerp and karcher in which tensors point in opposite directions. */
  readonly antiparallel: number;
  /** Of a gather task, one a window. */
  readonly windows?: readonly FoundInWindow[];
  /** Of a gather task, one a sum: Σ|x| in float64. NaN and infinite where the values are. */
  readonly sums?: readonly number[];
  /** Of a find task, for each rank the element before which others that weigh so much come, or the last; absent where there are none. */
  readonly found?: readonly FoundElement[];
  /** Of a rank task, one a rule: whether it keeps any element of the tensors. */
  readonly keepsAny?: readonly boolean[];
  /** Of a measure task. What is not finite is in `inputCounters`. */
  readonly statistics?: TensorStatistics;
  /** Of a compare task. `inputCounters` are those of a and of b. */
  readonly comparison?: TensorComparison;
  /** Of a compute task with `measure`: alone, when that was asked for, then one for each in `against`. */
  readonly output?: readonly OutputMeasurement[];
}

export interface EngineOptions {
  readonly threads: number;
  /** Bytes that all tensor buffers together may take. */
  readonly memory: number;
  /** Bytes of an input read at a time. */
  readonly chunk: number;
  /**
   * Folder for files without a name: a `della` of large groups, or a rank task, takes up to 6 bytes an element there (10 of float64) while it
   * runs, for what has no room in memory. Without one it ends with "memory" instead.
   */
  readonly scratch?: string;
}

/** Bytes since the engine was made. What copy tasks move is in `copied` and `hashed` alone. */
export interface Progress {
  readonly read: number;
  readonly hashed: number;
  readonly written: number;
  readonly copied: number;
}

/** What a task would take. */
export interface TaskNeeds {
  /** Bytes of buffers. */
  readonly memory: number;
  /** Bytes of a file without a name in the scratch folder, at most; what a rank task writes `to` is not among them. */
  readonly scratch: number;
  /** How many like it run at a time. */
  readonly atOnce: number;
}

/**
 * Threads and arenas. Tasks wait in one queue: first those that need all the memory for themselves, then group by group, in
 * each the largest first.
 */
export interface Engine {
  /** Rejects with an Error whose `code` is "cancelled", "io" (with `errno`, positive, and `syscall`), "memory" or "input" (a bug of the caller). */
  run(task: NativeTask): Promise<TaskResult>;
  needs(task: NativeTask): TaskNeeds;
  progress(): Progress;
  /** Every task not finished rejects with "cancelled" within a fraction of a second; the engine takes no more. */
  cancel(): void;
  /** Joins the threads and frees the arenas; call it when no task is outstanding. */
  close(): void;
}

/** File system calls that Node does not have. All throw an Error with `code` ("ENOSPC"), `errno` and `syscall`. */
export interface FileSystemCalls {
  /** Reserves bytes from the file's start and makes it at least that long. */
  fallocate(fd: number, bytes: number): void;
  /** Makes `to` share the blocks of `from`; false where the file system cannot. */
  reflink(fromFd: number, toFd: number): boolean;
  /** Bytes on disk that no reflink shares: what deleting the file's only name frees. Where nothing tells, all that are allocated. */
  unsharedBytes(fd: number): number;
  /** renameat2 with RENAME_EXCHANGE; false where it is refused (EINVAL, ENOSYS, EOPNOTSUPP). */
  exchange(a: string, b: string): boolean;
  /** Takes an exclusive flock on an open descriptor; false when another process holds it. */
  tryLock(fd: number): boolean;
  unlock(fd: number): void;
  /** f_type of statfs: which file systems' stat can be trusted. */
  fileSystemType(path: string): number;
}

export interface Addon extends FileSystemCalls {
  createEngine(options: EngineOptions): Engine;
  /** Vector variants this build has and this CPU can run, best first, such as ["avx512", "avx2", "plain"]. */
  readonly variants: readonly string[];
  /** The one in use: the best, or the one THETA_ISA forces. Throws (code "usage") when THETA_ISA names one that cannot run. */
  variant(): string;
  /** SHA-256 of small things such as keys; big ones belong into a task. */
  sha256(data: Uint8Array | string): string;
}
