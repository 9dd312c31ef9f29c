// What the tensors of an output were made from when it was last published, as far as the record of that build is there.

import type { WantedOutput } from "../build/wanted-output.ts";
import type { StorePaths } from "../store/store-paths.ts";
import { readBuildRecord, recordedAction, type RecordedOutput, type RecordedTensor } from "./build-record.ts";
import type { DescribedAction } from "./described-action.ts";

interface Earlier {
  readonly output: RecordedOutput;
  readonly tensors: ReadonlyMap<string, RecordedTensor>;
}

export class EarlierRuns {
  readonly #store: StorePaths;
  readonly #known = new Map<WantedOutput, Earlier | undefined>();

  constructor(store: StorePaths) {
    this.#store = store;
  }

  /** Undefined where no record tells. A build with nothing to do asks for none, so it reads no file. */
  actionOf(wanted: WantedOutput, tensor: string): DescribedAction | undefined {
    if (!this.#known.has(wanted)) this.#known.set(wanted, this.#read(wanted));
    const earlier = this.#known.get(wanted);
    const recorded = earlier?.tensors.get(tensor);
    return earlier && recorded && recordedAction(earlier.output, recorded);
  }

  #read({ record, path }: WantedOutput): Earlier | undefined {
    const build = record?.build === undefined ? undefined : readBuildRecord(this.#store, record.build);
    const output = build?.outputs.find((each) => each.path === path);
    return output && { output, tensors: new Map(output.tensors.map((tensor) => [tensor.name, tensor])) };
  }
}
