// Where one cut of a model-wide statistic lies: which window of the canonical order to look at next, going by what all
// tensors had in the last one. Windows are guesses; that the counts fit proves the result. Knows no file and no task.

import type { Engine, FoundElement, FoundInWindow, OrderPlace } from "../../../native/addon-types.ts";
import type { TensorCuts } from "../../../compiler/tensor-graph.ts";
import {
  asFirst,
  asLast,
  CUT_BEHIND_ALL,
  cutBeforeAll,
  firstPlace,
  LAST_PLACE,
  LAST_TIE,
  type Work,
} from "./order-places.ts";

type Cut = TensorCuts["outer"];

export interface SearchedMember {
  readonly elements: number;
  readonly work: Work;
  readonly stream: bigint;
}

/** In the keys that all members share. */
export interface SharedWindow {
  readonly first: OrderPlace;
  readonly last: OrderPlace;
}

/** Of the elements that may be kept: so many lie to either side of where the cut is expected. */
const MARGIN = 0.45;
/** When a tensor had more of them than may be kept of one, the next window is so much narrower. */
const NARROWER = 4;
/** Standard deviations, where a window that is narrower would rather miss the cut. */
const SURE = 3;

/** What messages call a search. */
export const CUT_LABEL = "a cut over all tensors";

export class CutSearch {
  readonly #engine: Engine;
  readonly #members: readonly SearchedMember[];
  /** Of the last element before the cut. */
  readonly #rank: number;
  readonly #capacity: number;
  /** Elements that may be kept of one member. */
  readonly #ofOne: number;
  readonly work: Work;
  /** The cut lies in here. */
  #proven: SharedWindow;
  /** Elements that come before what is proven, and those up to its end. */
  #before = 0;
  #upTo: number;
  #window: SharedWindow;
  /** Elements of the window, as far as that is known. */
  #expected: number;
  /** Elements that the next window shall have to either side. */
  #margin: number;

  /** `capacity`: elements that may be kept of all members together, `ofOne` of one. */
  constructor(
    engine: Engine,
    members: readonly SearchedMember[],
    rank: number,
    { capacity, ofOne }: { readonly capacity: number; readonly ofOne: number },
  ) {
    this.#engine = engine;
    this.#members = members;
    this.#rank = rank;
    this.#capacity = capacity;
    this.#ofOne = ofOne;
    this.#margin = MARGIN * capacity;
    this.work = members.some(({ work }) => work === "F64") ? "F64" : "F32";
    this.#proven = { first: firstPlace(this.work), last: LAST_PLACE };
    this.#window = this.#proven;
    this.#upTo = sum(members.map(({ elements }) => elements));
    this.#expected = this.#upTo;
  }

  /** More elements than may be kept: a guess from a sample comes first. */
  get wantsSample(): boolean {
    return this.#expected > this.#capacity;
  }

  get window(): SharedWindow {
    return this.#window;
  }

  /** The window as the member sees it. */
  windowOf({ work }: SearchedMember): SharedWindow {
    const { first, last } = this.#window;
    return { first: asFirst(first, this.work, work), last: asLast(last, this.work, work) };
  }

  /** How many elements of a member to keep. */
  keepOf({ elements }: SearchedMember): { readonly thinning: number; readonly limit: number } {
    const total = sum(this.#members.map((member) => member.elements));
    return {
      thinning: this.#thinning,
      limit: Math.ceil(Math.min((4 * this.#capacity * elements) / total + FEW, this.#ofOne)),
    };
  }

  /** A window that was of use before. */
  tryFirst(window: SharedWindow): void {
    this.#window = window;
    this.#expected = 0;
  }

  /** Takes samples of the members: of all elements, kept in full. */
  async guess(sampled: readonly FoundInWindow[]): Promise<void> {
    const weights = this.#members.map(({ elements }, index) => elements / Math.max(sampled[index]!.kept, 1));
    await this.#narrow(sampled, weights, this.#rank);
  }

  /** Takes what the members have in the window: → the cut of each, or undefined when another window has to be looked at. */
  async take(found: readonly FoundInWindow[]): Promise<readonly Cut[] | undefined> {
    const above = sum(found.map((one) => one.above));
    const inside = sum(found.map((one) => one.inside));
    const rank = this.#rank - above;
    if (rank < 0) {
      this.#prove({ first: this.#proven.first, last: this.#window.first }, this.#before, above);
      this.#lookAt(this.#proven, this.#upTo - this.#before);
      return undefined;
    }
    if (rank >= inside) {
      this.#prove({ first: this.#window.last, last: this.#proven.last }, above + inside, this.#upTo);
      this.#lookAt(this.#proven, this.#upTo - this.#before);
      return undefined;
    }
    if (found.every(isWhole)) return this.#cutsAt(found, rank);
    if (this.#thinning === 0) this.#margin /= NARROWER;
    this.#prove(this.#window, above, above + inside);
    const weights = found.map(({ inside: all, kept }) => all / Math.max(kept, 1));
    await this.#narrow(found, weights, rank);
    return undefined;
  }

  get #thinning(): number {
    return Math.max(0, Math.ceil(Math.log2(this.#expected / this.#capacity)));
  }

  #prove(window: SharedWindow, before: number, upTo: number): void {
    this.#proven = window;
    this.#before = before;
    this.#upTo = upTo;
  }

  #lookAt(window: SharedWindow, expected: number): void {
    this.#window = window;
    this.#expected = expected;
  }

  /** To as many elements around the rank as may be kept, or to more where those that were kept do not tell so well where it is. */
  async #narrow(found: readonly FoundInWindow[], weights: readonly number[], rank: number): Promise<void> {
    const total = sum(found.map(({ kept }, index) => kept * weights[index]!));
    const weight = weights.reduce((most, one, index) => (found[index]!.kept > 0 ? Math.max(most, one) : most), 1);
    const error = weight + Math.sqrt(Math.max(Math.min(rank, total - rank), 0) * weight);
    const margin = this.#margin < error ? SURE * error : this.#margin;
    const [low, high] = await this.#find(found, weights, [rank - margin, rank + margin]);
    const { first, last } = this.#proven;
    const placeOf = ({ key, tie }: FoundElement): OrderPlace => ({ key, tie });
    const window = {
      first: low === undefined || rank - margin < 0 ? first : placeOf(low),
      last: high === undefined || rank + margin >= total ? last : placeOf(high),
    };
    this.#lookAt(window, Math.min(2 * margin, total));
  }

  /** The elements with the ranks, or none where nothing was kept. */
  async #find(
    kept: readonly FoundInWindow[],
    weights: readonly number[],
    ranks: readonly number[],
  ): Promise<readonly FoundElement[]> {
    const parts = kept.map(({ elements }, index) => {
      const member = this.#members[index]!;
      const { first, last } = this.windowOf(member);
      const { work, stream } = member;
      return { elements, work, firstKey: first.key, lastKey: last.key, stream, weight: weights[index]! };
    });
    const { found = [] } = await this.#engine.run({ kind: "find", label: CUT_LABEL, parts, ranks });
    return found;
  }

  /**
   * For each member the cut that its own elements ask for: where none of them has the cut's key, or all that have it lie on one
   * side, ties do not matter, so that a tie that moves elsewhere changes nothing here.
   */
  async #cutsAt(found: readonly FoundInWindow[], rank: number): Promise<readonly Cut[]> {
    const ones = found.map(() => 1);
    const [element] = await this.#find(found, ones, [rank]);
    if (element === undefined) throw new Error("a window lost its elements");
    const { first, last } = this.#window;
    return this.#members.map(({ work }, index) => {
      const { tiedAbove, tiedBelow } = found[index]!;
      const before = element.tiedBefore[index]! + (element.key === first.key ? tiedAbove : 0);
      const behind = element.tied[index]! - element.tiedBefore[index]! + (element.key === last.key ? tiedBelow : 0);
      const key = asLast({ key: element.key, tie: 0n }, this.work, work).key;
      if (behind === 0) return { key, tie: 0n };
      if (before === 0) return { key: key + 1n, tie: 0n };
      // Elements of equal key and tie are ordered by their tensors' names.
      const tie = index <= element.part ? element.tie : element.tie + 1n;
      return tie > LAST_TIE ? { key: key + 1n, tie: 0n } : { key, tie };
    });
  }
}

/** Everything in the window was kept. */
export function isWhole({ inside, kept }: FoundInWindow): boolean {
  return kept === inside;
}

/** Of a small tensor all elements are kept. */
const FEW = 4096;

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The cuts of a mask that are not found by looking: `rank` of those that are. METHODS.md, "Masks". */
export interface WantedCuts {
  readonly outer: "nothing" | "everything" | { readonly rank: number };
  readonly inner: "nothing" | { readonly rank: number };
}

export function wantedCuts(
  elements: number,
  rule: { readonly density: number; readonly dropTop: number; readonly atLeastOne: boolean },
): WantedCuts {
  const count = (share: number): number => Math.min(Math.max(Math.trunc(elements * share), 0), elements);
  const drop = count(rule.dropTop);
  const keep = Math.min(rule.atLeastOne ? Math.max(count(rule.density), 1) : count(rule.density), elements - drop);
  const end = drop + keep;
  if (keep === 0) return { outer: "nothing", inner: "nothing" };
  return {
    outer: end < elements ? { rank: end - 1 } : "everything",
    inner: drop > 0 ? { rank: drop - 1 } : "nothing",
  };
}

export function knownCut(wanted: "nothing" | "everything", work: Work): Cut {
  return wanted === "nothing" ? cutBeforeAll(work) : CUT_BEHIND_ALL;
}
