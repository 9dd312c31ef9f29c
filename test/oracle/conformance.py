"""Random recipes through `theta build`, compared bit for bit with strict.py.

    python conformance.py --theta dist/theta.js --cases 200 --seed 1
    python conformance.py --theta dist/theta.js --only 17 --keep case17          one case, its directory kept
    python conformance.py --theta dist/theta.js --cases 20 --matrix              every variant of each case, clean, same digests
    python conformance.py --theta dist/theta.js --cases 20 --true                also against exact values

A case is its seed.  Each is built once with random threads, chunk size, memory limit and instruction set; then, for some,
one tensor of one fine-tune is changed and the recipe is built again in the same store.
"""
import argparse
import dataclasses
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
from safetensors import SafetensorError, safe_open

import checkpoints
import counters
import exact
import expectations
import gates
import generate
import recipe
import strict as st

CHUNKS = ["4KiB", "64KiB", "1MiB", "64MiB"]


# What random recipes are sometimes like: an `at` that the others leave nothing, names of one tensor told apart, a ramp over
# layers that the model has and a stack of some of them has not.
REFUSALS = ("at-never-wins", "tied-names-differ", "no-such-layer")


# Drawn weights may sum to 0 where an input takes no part; then the oracle must refuse them, too.
NO_MEAN = "weights-sum-to-zero"


# Numbers near a dtype's ends may overflow, such as directions of vectors of 1e-45; then the oracle must count that, too.
OVERFLOW = "overflow"


# A vector may be needed in two work types, by an output and under a mask over the model.
MIXED = "takes part in the work types f32 and f64"


class Refused(Exception):
    """theta refuses the recipe, for such a reason."""


class Mismatch(Exception):
    """What theta did and what it should have done."""


def available_isas():
    """Instruction sets that THETA_ISA can force on this machine."""
    try: flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError: return ["plain"]
    return ["plain"] + [isa for isa, flag in (("avx2", " avx2 "), ("avx512", " avx512bw ")) if flag in flags]


def run_build(theta, directory, case, options, file):
    """Runs `theta build`: → the process, its events."""
    environment = {**os.environ, "NO_COLOR": "1", "THETA_CHUNK": options["chunk"]}
    if options["isa"]: environment["THETA_ISA"] = options["isa"]
    command = ["node", theta, "build", file, "--json", "-C", str(directory), "--threads", str(options["threads"]),
               "--memory", options["memory"]]
    for name, value in case.parameters.items(): command += ["-p", f"{name}={value!r}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def build(theta, directory, case, options, file="merge.theta"):
    """Runs `theta build` and returns its summary."""
    done, events = run_build(theta, directory, case, options, file)
    if done.returncode != 0:
        errors = [event for event in events if event.get("severity") == "error"]
        codes = {event["code"] for event in errors if MIXED not in event["message"]}
        doubts = {NO_MEAN: has_no_mean, OVERFLOW: overflows}
        if errors and codes <= {*REFUSALS, *doubts} and all(doubts[code](case) for code in codes & {*doubts}): raise Refused()
        said = [f"{event['code']}: {event['message']}" for event in errors] or [done.stderr[-3000:]]
        raise Mismatch("\n".join([f"exit code {done.returncode}", *said]))
    return events[-1]


def has_no_mean(case):
    """Whether strict.py says of some output that its weights sum to zero."""
    try:
        for output in case.outputs: expectations.expected(case, output)
    except st.RecipeError: return True
    return False


def overflows(case):
    """Whether strict.py counts an overflow in some output that has no policy for it."""
    for output in case.outputs:
        counted = {}
        if output.overflow is None: expectations.expected(case, output, counted)
        if any(overflow["overflow"] > 0 for _, overflow, _ in counted.values()): return True
    return False


def random_options(rng):
    return {"threads": int(rng.integers(1, 5)), "memory": ["64MiB", "320MiB"][int(rng.integers(2))],
            "chunk": CHUNKS[int(rng.integers(len(CHUNKS)))], "isa": [None, *available_isas()][int(rng.integers(1 + len(available_isas())))]}


def build_matrix(theta, directory, case):
    """Builds it with every combination of threads, chunk size and instruction set, each time from nothing."""
    digests = {}
    for threads, chunk, isa in itertools.product((1, 2, 8), ("4KiB", "1MiB", "64MiB"), available_isas()):
        for made in (".theta", "dist"): shutil.rmtree(directory / made, ignore_errors=True)
        options = {"threads": threads, "memory": "320MiB", "chunk": chunk, "isa": isa}
        summary = build(theta, directory, case, options)
        if summary["actions"]["run"] == 0: raise Mismatch(f"nothing ran under {options}")
        made = json.dumps([[output["path"], output["digest"]] for output in summary["outputs"]])
        digests.setdefault(made, options)
    if len(digests) > 1: raise Mismatch("other digests under " + " than under ".join(map(str, digests.values())))


def difference(name, got, want):
    """A sentence, or None where the tensors are equal."""
    if got.dtype != want.dtype: return f"{name}: {got.dtype}, expected {want.dtype}"
    if got.bits.shape != want.bits.shape: return f"{name}: shape {got.bits.shape}, expected {want.bits.shape}"
    wrong = (got.bits != want.bits).reshape(-1)
    if not wrong.any(): return None
    at = int(np.argmax(wrong))
    if want.dtype not in st.FORMATS: return f"{name} {want.dtype}: {int(wrong.sum())} of {wrong.size} elements differ"
    see = lambda t: f"{int(t.bits.reshape(-1)[at]):x} ({float(st.widen(t, np.float64).reshape(-1)[at])!r})"
    return (f"{name} {got.dtype} {list(got.bits.shape)}: {int(wrong.sum())} of {wrong.size} elements differ, "
            f"first {at}: {see(got)}, expected {see(want)}")


def official_reader_agrees(directory, tensors):
    """The safetensors library opens every file and sees the names that we read."""
    seen = set()
    for file in checkpoints.files_of(directory):
        with safe_open(file, framework="numpy") as opened: seen |= set(opened.keys())
    if seen != set(tensors): raise Mismatch(f"the safetensors library sees {sorted(seen ^ set(tensors))}")


def compare(case, directory, outputs=None):
    """→ number of tensors compared; raises Mismatch."""
    compared, problems, published = 0, [], counters.published(directory / ".theta")
    for output in outputs or case.outputs:
        got, counted = checkpoints.read_model(directory / output.path), {}
        stored = published[os.path.realpath(directory / output.path)]
        want = expectations.expected(case, output, counted)
        if set(got) != set(want):
            problems.append(f"{output.path}: unexpected {sorted(set(got) - set(want))}, lacking {sorted(set(want) - set(got))}")
        for name in sorted(set(want) & set(got)):
            sentence = difference(name, got[name], want[name])
            if not sentence and name in counted: sentence = counters.difference(stored[name], *counted[name])
            if sentence: problems.append(f"{output.path} {sentence}")
            compared += 1
        try: official_reader_agrees(directory / output.path, got)
        except SafetensorError as error: problems.append(f"{output.path}: the safetensors library says {error}")
    if problems: raise Mismatch("\n".join(problems[:12]))
    return compared


def write_case(seed, directory):
    case = generate.generate(seed)
    generate.write_inputs(case, directory)
    (directory / "merge.theta").write_text(case.text, encoding="utf-8")
    if case.library:
        (directory / "lib").mkdir()
        (directory / "lib/common.theta").write_text(case.library, encoding="utf-8")
    return case


def run_true(seed, theta, directory):
    """Acceptance 2: every element within half an ulp and the bound of the work type; where a choice is open, of what was chosen."""
    case = write_case(seed, directory)
    build(theta, directory, case, random_options(np.random.default_rng([seed, 1])))
    compared = compare(case, directory)
    for output in case.outputs:
        made = checkpoints.read_model(directory / output.path)
        for name, _, _, value in expectations.values_of(case, output, exact):
            checked, followed, left_out, worst = exact.judge(made[name], value)
            TRUE.checked, TRUE.followed, TRUE.left_out = TRUE.checked + checked, TRUE.followed + followed, TRUE.left_out + left_out
            TRUE.worst = max(TRUE.worst, worst)
            if worst > 1: raise Mismatch(f"{output.path} {name}: {worst:.3f} times the bound away from the exact value")
    return compared


class TRUE:
    """What run_true has seen."""
    checked, followed, left_out, worst = 0, 0, 0, 0.0


def run_matrix(seed, theta, directory):
    case = write_case(seed, directory)
    build_matrix(theta, directory, case)
    return compare(case, directory)


def run_case(seed, theta, directory):
    case, rng = write_case(seed, directory), np.random.default_rng([seed, 1])
    options = random_options(rng)
    (directory / "options.json").write_text(json.dumps({**options, "parameters": case.parameters}))
    build(theta, directory, case, options)
    compared = compare(case, directory)
    if rng.random() < 0.35:
        again = build(theta, directory, case, random_options(rng))
        if again["actions"]["run"] != 0: raise Mismatch(f"an unchanged recipe ran {again['actions']}")
    if rng.random() < 0.35:
        text, parameters = generate.rewritten(case, rng)
        (directory / "rewritten.theta").write_text(text, encoding="utf-8")
        renamed = dataclasses.replace(case, parameters=parameters)
        same = build(theta, directory, renamed, random_options(rng), "rewritten.theta")
        if same["actions"]["run"] != 0: raise Mismatch(f"other names and another order ran {same['actions']}")
    if rng.random() < 0.25: check_gates(case, theta, directory, rng)
    vectors = [o for o in case.outputs if isinstance(o.value, recipe.Vector)]
    if vectors and case.base.nan is None:
        text, back = generate.second_recipe(case, vectors[0], rng)
        (directory / "second.theta").write_text(text, encoding="utf-8")
        build(theta, directory, dataclasses.replace(case, parameters={}), random_options(rng), "second.theta")
        compared += compare(case, directory, [back])
    if rng.random() < 0.35:
        changed = generate.change_one_tensor(case, rng)
        generate.write_inputs(case, directory, changed)
        build(theta, directory, case, random_options(rng))
        try: compared += compare(case, directory)
        except Mismatch as error: raise Mismatch(f"after a change of {changed}: {error}") from None
    return compared


def check_gates(case, theta, directory, rng):
    """Adds lines of `expect` about one output, which must hold, or of which one must not."""
    named = [o for o in case.outputs if isinstance(o.value, recipe.Model) and re.match("merge|tall", o.value.text)]
    if not named: return
    output = named[int(rng.integers(len(named)))]
    drawn = gates.draw(case, output, checkpoints.read_model(directory / output.path), rng)
    if drawn is None: return
    lines, failing = drawn
    text = f"{case.text}\nexpect {output.value.text} {{\n  {chr(10).join(lines)}\n}}\n"
    (directory / "gated.theta").write_text(text, encoding="utf-8")
    done, events = run_build(theta, directory, case, random_options(rng), "gated.theta")
    failed = [event for event in events if event.get("code") == "gate-failed"]
    if done.returncode != (1 if failing else 0) or len(failed) != (1 if failing else 0):
        said = [event.get("message", event) for event in events if event.get("severity") == "error"]
        raise Mismatch(f"gates of {output.path}: exit code {done.returncode}, expected {failing or 'no line'} to fail of {lines}: {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--theta", required=True, help="path of theta.js")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first case")
    parser.add_argument("--only", type=int, help="run this seed alone")
    parser.add_argument("--matrix", action="store_true", help="build each case with every combination of options")
    parser.add_argument("--true", action="store_true", help="compare with exact values too")
    parser.add_argument("--keep", help="directory to leave a case in, for --only and for the first failure")
    arguments = parser.parse_args()
    seeds = [arguments.only] if arguments.only is not None else range(arguments.seed, arguments.seed + arguments.cases)
    run = run_matrix if arguments.matrix else run_true if arguments.true else run_case
    failed, compared, refused, started = [], 0, 0, time.monotonic()
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="theta-oracle-") as temporary:
            directory = pathlib.Path(temporary)
            try: compared += run(seed, arguments.theta, directory)
            except Refused: refused += 1
            except (Mismatch, exact.Contradiction, st.RecipeError) as error:
                failed.append(seed)
                print(f"case {seed}: {error}\n", flush=True)
            if arguments.keep and (failed == [seed] or arguments.only is not None):
                shutil.copytree(directory, arguments.keep, dirs_exist_ok=True)
    print(f"{len(seeds)} cases, {compared} tensors equal to strict.py, {refused} refused, {len(failed)} cases failed"
          + (f": {' '.join(map(str, failed))}" if failed else "") + f"; {time.monotonic() - started:.0f} s")
    if TRUE.checked:
        share = 100 * (TRUE.checked - TRUE.followed) / (TRUE.checked + TRUE.left_out)
        print(f"{TRUE.checked} elements within the bound of their exact values, at most {TRUE.worst:.3f} of it; {share:.2f} % are "
              f"decided by it alone, {TRUE.followed} follow a choice that it leaves open, {TRUE.left_out} are left out")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
