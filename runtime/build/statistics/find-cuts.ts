// Finds the cuts of statistics that are open: all of them together, in as few readings of their vectors as it takes.

import { memberKey } from "../../../compiler/action-key.ts";
import type { CutStatistic, StatisticMember, TensorCuts } from "../../../compiler/tensor-graph.ts";
import type { Engine, EngineOptions, FoundInWindow, GatherTask } from "../../../native/addon-types.ts";
import type { StatisticStore, StoredPart, StoredWindow } from "../../store/statistic-store.ts";
import { engineFailure } from "../engine-failure.ts";
import { isOfOneOutput } from "../failed-outputs.ts";
import type { InputFiles } from "../input-files.ts";
import { CUT_LABEL, CutSearch, isWhole, knownCut, wantedCuts, type SharedWindow } from "./cut-search.ts";
import type { GatherRequest } from "./gather-task.ts";
import { gather } from "./gather.ts";
import { firstPlace, LAST_PLACE } from "./order-places.ts";
import { isSampleable, SAMPLED, sampleOf } from "./sample.ts";
import type { Rankings } from "./rankings.ts";
import { keyOf, memberKeyOf, missingOf } from "./statistic-standings.ts";

type Side = "outer" | "inner";
const SIDES = ["outer", "inner"] as const;

export interface FoundCuts {
  readonly key: string;
  /** Of the members, in their order. */
  readonly cuts: readonly TensorCuts[];
}

interface Means {
  readonly engine: Engine;
  readonly options: EngineOptions;
  readonly inputs: InputFiles;
  readonly rankings: Rankings;
  readonly store: StatisticStore;
  /** For messages. */
  readonly storeRoot: string;
  /** Look at every tensor, whatever is stored. */
  readonly force: boolean;
  readonly keepGoing: boolean;
}

/** One statistic that is worked on. */
interface Work {
  readonly statistic: CutStatistic;
  readonly searches: Partial<Record<Side, CutSearch>>;
  readonly cuts: Partial<Record<Side, readonly TensorCuts["outer"][]>>;
  /** By member: what is known of it in the window of each search. */
  readonly parts: { outer?: StoredWindow; inner?: StoredWindow }[];
  /** Members of which something was read. */
  readonly read: Set<number>;
}

/** Throws a Failure: 66 an input, 71 memory. The engine is cancelled then, or not: see `gather`. */
export async function findCuts(statistics: readonly CutStatistic[], means: Means): Promise<readonly FoundCuts[]> {
  const room = roomFor(statistics, means.options);
  const works = statistics.map((statistic) => begin(statistic, room, means));
  const sampled = works.filter((work) => guessedSides(work).length > 0 && work.statistic.members.every(isSampleable));
  if (sampled.length > 0) await guessAll(sampled, room.sampled, means);
  for (let open = works.filter(isOpen); open.length > 0; open = open.filter(isOpen)) {
    await gatherAll(open.flatMap(requestsOf), undefined, means);
    await searchAll(open, openSides, means, async (search, work, side) => {
      const cuts = await search.take(work.parts.map((part) => part[side]?.found ?? NOTHING));
      if (cuts !== undefined) work.cuts[side] = cuts;
    });
  }
  return works.map((work) => save(work, means));
}

/** What is looked at first where nothing is known, as far as the sizes of tasks follow from it. */
export function firstRequests(
  statistics: readonly CutStatistic[],
  options: EngineOptions,
  means: Pick<Means, "engine" | "inputs" | "store">,
): readonly GatherRequest[] {
  const room = roomFor(statistics, options);
  return statistics.flatMap((statistic) => requestsOf(begin(statistic, room, { ...means, force: true })));
}

/** Elements that may be kept: a cut of all members together, of one member, sampled of a vector. */
interface Room {
  readonly capacity: number;
  readonly ofOne: number;
  readonly sampled: number;
}

/** Bytes of an element while its tensor is looked at, and afterwards. */
const GATHERED_BYTES = 16;
const KEPT_BYTES = 6;
/** More would take longer to write down than a second look takes. */
const MOST_KEPT = 2 ** 22;
/** With less, what is kept would not tell where to look next. */
const FEWEST_KEPT = 2 ** 10;

function roomFor(statistics: readonly CutStatistic[], { memory, threads }: EngineOptions): Room {
  const cuts = statistics.length * SIDES.length;
  const ofOne = Math.max(FEWEST_KEPT, Math.floor(memory / Math.max(threads, 2) / 2 / GATHERED_BYTES / cuts));
  const largest = Math.max(...statistics.map(({ members }) => shareOfLargest(members)));
  const kept = memory / 4 / KEPT_BYTES / cuts;
  return {
    capacity: Math.max(FEWEST_KEPT / 2, Math.floor(Math.min(MOST_KEPT, kept, ofOne / largest / 1.5))),
    ofOne,
    sampled: Math.floor(Math.min(SAMPLED, ofOne / largest)),
  };
}

function shareOfLargest(members: readonly StatisticMember[]): number {
  const sizes = members.map(elementsOf);
  return sizes.reduce((most, size) => Math.max(most, size), 1) / Math.max(1, sum(sizes));
}

function begin(
  statistic: CutStatistic,
  room: Room,
  { engine, inputs, store, force }: Pick<Means, "engine" | "inputs" | "store" | "force">,
): Work {
  const { members } = statistic;
  const wanted = wantedCuts(sum(members.map(elementsOf)), statistic);
  const work: Work = { statistic, searches: {}, cuts: {}, parts: members.map(() => ({})), read: new Set() };
  const searched = members.map((member) => ({ elements: elementsOf(member), work: member.work, stream: member.tie }));
  for (const side of SIDES) {
    const cut = wanted[side];
    if (typeof cut === "string") work.cuts[side] = members.map((member) => knownCut(cut, member.work));
    else work.searches[side] = new CutSearch(engine, searched, cut.rank, room);
  }
  if (force || Object.keys(work.searches).length === 0) return work;
  members.forEach((member, index) => {
    if (missingOf(member, inputs).length > 0) return;
    const weak = memberKey(statistic, member, "unknown");
    if (store.knowsWeak(weak)) work.parts[index] = store.part(weak, memberKeyOf(statistic, member, inputs)) ?? {};
  });
  for (const side of SIDES) {
    const usual = usualWindow(work, side);
    if (usual !== undefined) work.searches[side]?.tryFirst(usual);
  }
  return work;
}

/** The window that most elements were looked at in before, where that is most of them. */
function usualWindow({ statistic: { members }, searches, parts }: Work, side: Side): SharedWindow | undefined {
  const search = searches[side];
  if (search === undefined) return undefined;
  const windows = new Map<string, { readonly window: SharedWindow; elements: number }>();
  members.forEach((member, index) => {
    const part = parts[index]![side];
    // One of another width tells less than the window was.
    if (part === undefined || member.work !== search.work) return;
    const id = placesText(part);
    const known = windows.get(id) ?? { window: { first: part.first, last: part.last }, elements: 0 };
    windows.set(id, { window: known.window, elements: known.elements + elementsOf(member) });
  });
  const [most] = [...windows.values()].sort((a, b) => b.elements - a.elements);
  return most !== undefined && 2 * most.elements > sum(members.map(elementsOf)) ? most.window : undefined;
}

async function guessAll(works: readonly Work[], sampled: number, means: Means): Promise<void> {
  for (const period of new Set(works.map(({ statistic }) => sampleOf(statistic.members, sampled).period))) {
    const alike = works.filter(({ statistic }) => sampleOf(statistic.members, sampled).period === period);
    const found = new Map(alike.map((work) => [work, work.parts.map(() => NOTHING)]));
    const requests = alike.flatMap((work) =>
      work.statistic.members.flatMap((member, index): readonly GatherRequest[] => {
        const window = { first: firstPlace(member.work), last: LAST_PLACE, thinning: 0, limit: elementsOf(member) };
        return [{ member, windows: [window], take: ([one]) => void (found.get(work)![index] = one!) }];
      }),
    );
    const sample = sampleOf(alike[0]!.statistic.members, sampled);
    await gatherAll(requests, sample, means);
    await searchAll(alike, guessedSides, means, (search, work) => search.guess(found.get(work)!));
  }
}

function guessedSides({ searches }: Work): readonly Side[] {
  return SIDES.filter((side) => searches[side]?.wantsSample === true);
}

function isOpen(work: Work): boolean {
  return openSides(work).length > 0;
}

function openSides(work: Work): readonly Side[] {
  return SIDES.filter((side) => work.searches[side] !== undefined && work.cuts[side] === undefined);
}

/** What is not known of the members in the windows that are looked at now. */
function requestsOf(work: Work): readonly GatherRequest[] {
  const { statistic, searches, parts, read } = work;
  return statistic.members.flatMap((member, index): readonly GatherRequest[] => {
    const searched = { elements: elementsOf(member), work: member.work, stream: member.tie };
    const sides = openSides(work).filter((side) => {
      const known = parts[index]![side];
      const search = searches[side]!;
      if (known === undefined || placesText(known) !== placesText(search.windowOf(searched))) return true;
      // Windows that differ in float64 may be one in float32.
      return !isWhole(known.found) && known.found.thinning > search.keepOf(searched).thinning;
    });
    if (sides.length === 0) return [];
    const windows = sides.map((side) => ({
      ...searches[side]!.windowOf(searched),
      ...searches[side]!.keepOf(searched),
    }));
    const take = (found: readonly FoundInWindow[]): void => {
      read.add(index);
      sides.forEach((side, at) => {
        const { first, last } = windows[at]!;
        parts[index]![side] = { first, last, found: found[at]! };
      });
    };
    return [{ member, windows, take }];
  });
}

function gatherAll(
  requests: readonly GatherRequest[],
  sample: GatherTask["sample"],
  { engine, inputs, rankings, storeRoot, keepGoing }: Means,
): Promise<void> {
  return gather(engine, inputs, rankings, requests, sample, storeRoot, keepGoing);
}

/** Searches side by side on the engine's threads. Throws the first cause when one fails, as `gather` does. */
async function searchAll(
  works: readonly Work[],
  sidesOf: (work: Work) => readonly Side[],
  { engine, storeRoot, keepGoing }: Means,
  step: (search: CutSearch, work: Work, side: Side) => Promise<void>,
): Promise<void> {
  const steps = works.flatMap((work) => sidesOf(work).map((side) => step(work.searches[side]!, work, side)));
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === "rejected");
  if (failed === undefined) return;
  const explained = engineFailure((failed as PromiseRejectedResult).reason, CUT_LABEL, storeRoot);
  if (!(keepGoing && isOfOneOutput(explained))) engine.cancel();
  throw explained;
}

/** Remembers the value, and of each tensor that was read what it has in the windows that were of use. */
function save({ statistic, cuts, parts, read, searches }: Work, { inputs, store }: Means): FoundCuts {
  const key = keyOf(statistic, inputs);
  const all = statistic.members.map((_, index) => ({ outer: cuts.outer![index]!, inner: cuts.inner![index]! }));
  for (const index of read) {
    const member = statistic.members[index]!;
    const useful = SIDES.flatMap((side) =>
      searches[side] === undefined ? [] : [[side, parts[index]![side]] as const],
    );
    const part: StoredPart = Object.fromEntries(useful.filter(([, window]) => window !== undefined));
    store.savePart(memberKey(statistic, member, "unknown"), memberKeyOf(statistic, member, inputs), part);
  }
  store.saveValue(key, all);
  return { key, cuts: all };
}

const NOTHING: FoundInWindow = {
  above: 0,
  inside: 0,
  tiedAbove: 0,
  tiedBelow: 0,
  thinning: 0,
  kept: 0,
  elements: new Uint8Array(),
};

function placesText({ first, last }: SharedWindow): string {
  return [first, last].map(({ key, tie }) => `${key}:${tie}`).join(" ");
}

function elementsOf({ shape }: StatisticMember): number {
  return shape.reduce((product, size) => product * size, 1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
