// The model-wide statistics of one output: met one by one while tensors are lowered, completed when all are. Knows no
// payload.

import type { OutputNode, PredicateNode, VectorNode } from "../recipe-graph.ts";
import type { Action, CutStatistic, ModelStatistic, RankStatistic, StatisticMember } from "../tensor-graph.ts";
import type { OperationCount } from "./operation-count.ts";
import type { TensorScope } from "./scope.ts";
import { streamId } from "./stream-id.ts";
import type { TensorProblems } from "./tensor-problems.ts";

type Rule =
  | Pick<CutStatistic, "kind" | "density" | "dropTop" | "atLeastOne">
  | Pick<RankStatistic, "kind" | "stream">
  | { readonly kind: "size" };

/** One tensor of the output. */
export interface LoweredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether its action is computed in F64. */
  readonly wide: boolean;
  /**
   * A scope of its own, whose problems nobody hears of: a vector may be lacking where the output does not read it. The one
   * that the action was made in is gone: those of ten thousand tensors would outweigh all that comes of them.
   */
  readonly aside: () => TensorScope;
}

/** Whose program may ask for statistics. */
type User = Pick<StatisticMember, "tensor" | "program"> & { readonly work: Action["work"] };
/** By number of a statistic and member: in which work types that is used. */
type Users = Map<number, Map<string, Set<Action["work"]>>>;

interface Wanted {
  readonly vector: VectorNode;
  readonly rule: Rule;
  readonly stream: number;
}

export class ModelStatistics {
  readonly #wanted: Wanted[] = [];
  readonly #numbers = new Map<VectorNode, Map<string, number>>();
  readonly #first: number;
  readonly #byActions: Users = new Map();
  #byStatistics: Users = new Map();

  /** `first`: the number of the first one. */
  constructor(first = 0) {
    this.#first = first;
  }

  /** The number of the statistic, new or met before. `stream`: of ties, else 0. */
  indexOf(vector: VectorNode, rule: Rule, stream: number): number {
    const ofVector = this.#numbers.get(vector) ?? new Map<string, number>();
    this.#numbers.set(vector, ofVector);
    const key = JSON.stringify([stream, ...Object.entries(rule).sort()]);
    const number = ofVector.get(key) ?? this.#first + this.#wanted.push({ vector, rule, stream }) - 1;
    ofVector.set(key, number);
    return number;
  }

  get any(): boolean {
    return this.#wanted.length > 0;
  }

  /** An action: each τ stays in the work type that it is merged in. */
  use(action: User): void {
    addUser(this.#byActions, action);
  }

  /**
   * Once all are finished: refuses a τ that is needed in different work types, by several actions, which a stack can make,
   * or by an action and by a vector that is masked over the model once more.
   */
  reportMixed(at: OutputNode | PredicateNode, problems: TensorProblems): void {
    const mixed = this.#mixed();
    if (mixed === undefined) return;
    problems.add("not-served", at, () => ({
      message: `${mixed} takes part in the work types f32 and f64, and its mask per: model would be another one in each`,
      span: at.span,
      help: "write one of the models as an output of the other's dtype, or use per: tensor",
    }));
  }

  #mixed(): string | undefined {
    const works = new Map<string, Action["work"]>();
    for (const users of [this.#byActions, this.#byStatistics]) {
      for (const [number, members] of users) {
        for (const [member, used] of members) {
          const key = `${number} ${member}`;
          const known = works.get(key) ?? [...used][0]!;
          if (used.size > 1 || !used.has(known)) return member;
          works.set(key, known);
        }
      }
    }
    return undefined;
  }

  /** `tensorsOf`: those of the model that a vector is a change of. */
  finish(
    tensorsOf: (vector: VectorNode) => readonly LoweredTensor[],
    count: OperationCount,
  ): readonly ModelStatistic[] {
    for (;;) {
      const statistics = this.#complete(tensorsOf, count);
      // Of a vector that is masked over the model once more each τ is in the work type of what that one is of.
      const users: Users = new Map();
      for (const { members } of statistics) for (const member of members) addUser(users, member);
      const isKnown = wideUsers(users) === wideUsers(this.#byStatistics);
      this.#byStatistics = users;
      // No τ gets narrower by another becoming wide, so this ends.
      if (isKnown || count.isExceeded) return statistics;
    }
  }

  #complete(
    tensorsOf: (vector: VectorNode) => readonly LoweredTensor[],
    count: OperationCount,
  ): readonly ModelStatistic[] {
    const statistics: ModelStatistic[] = [];
    // Completing one may meet others: a vector that was masked before.
    for (const { vector, rule, stream } of this.#wanted) {
      if (count.isExceeded) break;
      const users = [this.#byActions, this.#byStatistics].map((of) => of.get(this.#first + statistics.length));
      const members = tensorsOf(vector).flatMap((tensor) => {
        const wide = tensor.wide || users.some((of) => of?.get(tensor.name)?.has("F64"));
        return memberOf({ ...tensor, wide }, vector, rule, stream);
      });
      for (const { program } of members) count.add(program);
      statistics.push({ vector: nameOf(vector), ...rule, members });
    }
    return statistics;
  }
}

function addUser(users: Users, { tensor, program, work }: User): void {
  for (const operation of program.operations) {
    if (operation.op !== "model-cut" && operation.op !== "model-della") continue;
    const member = operation.member ?? tensor;
    const members = users.get(operation.statistic) ?? new Map<string, Set<Action["work"]>>();
    users.set(operation.statistic, members);
    members.set(member, (members.get(member) ?? new Set()).add(work));
  }
}

function wideUsers(users: Users): number {
  return [...users.values()].flatMap((members) => [...members.values()]).filter((works) => works.has("F64")).length;
}

function memberOf(
  { name, shape, wide, aside }: LoweredTensor,
  node: VectorNode,
  { kind }: Rule,
  stream: number,
): readonly StatisticMember[] {
  if (shape.includes(0) || (kind !== "size" && shape.length === 0)) return [];
  const scope = aside();
  const value = scope.vector(node);
  if (value === "skip" || scope.problems.errors > 0) return [];
  const work = wide || scope.builder.wide ? "F64" : "F32";
  return [{ tensor: name, ...scope.builder.finish(value), shape, work, tie: streamId("tie", stream, name) }];
}

/** The name that it was given, `maths - llama`, or `ties of maths - llama, code - llama`. */
function nameOf(node: VectorNode): string {
  const of = node.kind === "masked" ? node.vector : node;
  if (node.name !== undefined || of.kind !== "vector-method") return node.name ?? shortName(of) ?? NAMELESS;
  const method = of.strategy.kind === "constant" ? of.strategy.value.method : "a merge";
  const names = of.inputs.map((input) => shortName(input.kind === "masked" ? input.vector : input));
  const isShort = names.length <= MOST_NAMED && names.every((name) => name !== undefined);
  return isShort ? `${method} of ${names.join(", ")}` : `${method} of ${names.length} vectors`;
}

const NAMELESS = "a vector without a name";
/** Inputs of a merge that are named one by one. */
const MOST_NAMED = 3;

function shortName(node: VectorNode): string | undefined {
  if (node.name !== undefined || node.kind !== "difference") return node.name;
  const { model, base } = node;
  return model.name === undefined || base.name === undefined ? undefined : `${model.name} - ${base.name}`;
}
