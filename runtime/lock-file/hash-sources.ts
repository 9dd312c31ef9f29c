// The facts that a lock file holds, of inputs as they are now: every payload's digest, read where the store does not know
// it, and remembered there for the build.

import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { BuildContext } from "../build-context.ts";
import { hashInputs } from "../build/hash-inputs.ts";
import { InputFiles } from "../build/input-files.ts";
import { loadedAddon } from "../build/session.ts";
import { withStore } from "../store/store.ts";
import type { LockedSource, LockFile } from "./lock-file.ts";
import type { RecipeInputs } from "./recipe-inputs.ts";

/**
 * `onReading` is told how many bytes there are to read, before. Every source must have its content. Throws a Failure: 66
 * an input cannot be read or changes, 71 out of resources, 73 the store cannot be written; and AbortError when the signal
 * fired.
 */
export async function hashSources(
  { lists, sources }: RecipeInputs,
  { store: root, engine: options, opened, trustRemoteStat }: BuildContext,
  onReading: (bytes: number) => void,
  signal: AbortSignal,
): Promise<LockFile> {
  const addon = loadedAddon();
  const tensors = new Set([...sources.values()].flatMap(({ content }) => [...content!.tensors.values()]));
  const files = new Set([...tensors].map(({ file }) => file));
  const hash = async (inputs: InputFiles): Promise<void> => {
    const unknown = new Map<string, TensorInfo>();
    for (const tensor of tensors) {
      if (inputs.digest(tensor) === undefined) unknown.set(inputs.place(tensor), tensor);
    }
    if (unknown.size === 0) return;
    onReading([...unknown.values()].reduce((sum, { bytes }) => sum + bytes, 0));
    const engine = addon.createEngine(options);
    const cancel = (): void => engine.cancel();
    signal.addEventListener("abort", cancel);
    try {
      signal.throwIfAborted();
      await hashInputs(engine, inputs, unknown.values(), root, false);
    } finally {
      signal.removeEventListener("abort", cancel);
      engine.close();
    }
  };
  const work = async (inputs: InputFiles): Promise<LockFile> => {
    await hash(inputs);
    const locked = new Map<string, LockedSource>();
    for (const [path, { kind, content }] of sources) {
      const digests = [...content!.tensors].map(([name, tensor]) => {
        const { dtype, shape } = tensor;
        return [name, { dtype, shape, digest: inputs.digest(tensor)! }] as const;
      });
      const side = [...content!.files].map(([name, { digest }]) => [name, digest] as const);
      locked.set(path, { kind, files: new Map(side), tensors: new Map(digests) });
    }
    return { lists, sources: locked };
  };
  try {
    return await withStore(
      root,
      addon,
      async (store) => {
        const inputs = new InputFiles(files, opened, store.inputs, addon, { trustRemoteStat, recheck: false }, signal);
        return work(inputs).finally(() => inputs.close());
      },
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
