"""Writes ../golden/methods.json: every method over awkward tensors of every dtype, and digests of what strict.py makes of them.

The models are those of ../golden/strict/inputs.safetensors, one set for each mixture of dtypes; a set of 8 bits made of them;
and two that both sides make by a formula: one as long as numbers of elements around 2^20 are, and one of numbers so large that
their differences, sums and squares are not finite, under the `nan error` that recipes have. test/e2e/golden-methods.test.ts builds the recipe without Python.
Run this by hand when a method is added, or METHODS.md changes what one means:  .venv/bin/python golden_methods.py
"""
import hashlib
import json
import pathlib

import numpy as np

import checkpoints
import expectations
import recipe as r
import rounded
import strict as st
from draw import Case, Output, Source
from models import LARGEST

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
ROLES = {"base": "base", "one": "m0", "two": "m1", "three": "m2"}
LONG_SHAPES = {"h.0.below": ((1 << 20) - 1,), "h.1.square": (1024, 1024), "h.2.above": (1, (1 << 20) + 1)}
LONG_OUTPUTS = ["breadcrumbs", "consensus", "della", "fusion", "karcher", "lines-like", "model", "model-l1", "random-l1", "ranks-model", "sce-select",
                "stock-row", "ties-count-count", "turn-row", "plus", "pcb"]
# What lines has layers in; the same in golden-methods.test.ts, which takes `h.N.` off again.
LAYERS = {"matrix": 0, "denormal": 0, "n257": 1, "empty": 1, "conv": 2, "one": 2, "rows_of_1": 3}


def long_values(shape, seed):
    """Bits of numbers between −1/2 and 1/2, the same in golden-methods.test.ts: 23 bits and a sign, by a multiplicative hash."""
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    word = (i * np.uint64(2654435761) + np.uint64(seed * 40503)) & np.uint64(0xFFFFFFFF)
    word = ((word ^ (word >> np.uint64(15))) * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    return ((word >> np.uint64(8)).astype(np.float64) - 2.0**23) * 2.0**-24


def long_models():
    """base + a sparse step: many elements of a fine-tune equal the base's, and many differences are equal."""
    models, dtypes = {}, {"h.0.below": "BF16", "h.1.square": "F32", "h.2.above": "F16"}
    for number, name in enumerate(ROLES):
        tensors = {}
        for at, (tensor, shape) in enumerate(LONG_SHAPES.items()):
            base = long_values(shape, 1 + at)
            step = long_values(shape, 1 + at + 10 * number) if number else np.zeros(base.shape)
            x = base + np.where(np.abs(step) < 0.2, 0.0, np.trunc(step * 64) * 2.0**-9)
            tensors[tensor] = st.Tensor(dtypes[tensor], st.narrow(x, dtypes[tensor])[0].reshape(shape))
        models[name] = tensors
    return models


def extreme_models():
    """The largest numbers of each dtype, with both signs, and small ones between them."""
    dtypes = {"h.0.F64": "F64", "h.1.F32": "F32", "h.2.F16": "F16", "BF16": "BF16", "F8_E4M3": "F8_E4M3", "F8_E5M2": "F8_E5M2",
              "one": "F32", "scalar": "BF16"}
    shapes, found = {"one": (1,), "scalar": ()}, {}
    for number, name in enumerate(ROLES):
        tensors = {}
        for tensor, dtype in dtypes.items():
            shape = shapes.get(tensor, (5, 5))
            largest = LARGEST[dtype]
            pattern = np.array([largest, -largest, largest / 2, -largest / 2, 1.0, -0.0, largest])
            x = pattern[(np.arange(int(np.prod(shape))) * (number + 2) + number) % 7]
            tensors[tensor] = st.Tensor(dtype, st.narrow(x, dtype)[0].reshape(shape))
        found[name] = tensors
    return found


def stored_models():
    """{mixture: {model: tensors}}"""
    inputs, _ = checkpoints.read_file(GOLDEN / "strict/inputs.safetensors")
    found = {}
    for name, tensor in inputs.items():
        shape, mixture, role = name.split("/")
        model = next((model for model, other in ROLES.items() if other == role), None)
        layered = f"h.{LAYERS[shape]}.{shape}" if shape in LAYERS else shape
        if model: found.setdefault(mixture, {}).setdefault(model, {})[layered] = tensor
    return found


def narrow_models(stored):
    """Of 8 bits: the high bytes of F16, read as one format or the other; model two stays F16."""
    def narrow(tensor, number): return st.Tensor(("F8_E5M2", "F8_E4M3")[number % 2], (tensor.bits >> 8).astype(np.uint8))
    order = sorted(stored["base"], key=str.encode)
    return {model: {name: t if model == "two" else narrow(t, order.index(name)) for name, t in tensors.items()}
            for model, tensors in stored.items()}


number, word = r.number, r.word


def made(stored):
    """The recipe over these models: → Case."""
    base, one, two, three = (r.checkpoint(name, stored[name]) for name in ROLES)
    case = Case(0, sources=[Source(name, name, stored[name]) for name in ROLES])
    case.shapes = {name: tensor.bits.shape for name, tensor in stored["base"].items()}
    for tensors in stored.values(): assert set(tensors) == set(case.shapes)
    case.depths = {"h": 1 + max(place[1] for place in map(r.stack_of, case.shapes) if place)}
    text = ["theta 1\n", 'base base = "base" { nan propagate }\n']
    text += [f'model {name} = "{name}" {{ nan propagate }}\n' for name in ("one", "two", "three")]
    weights, members = [0.7, 0.5, -0.3], [one, two, three]
    mask = lambda kind, density, **more: r.mask_method(kind, number(density), **more)
    dare, ranks = mask("random", 0.3, seed=7), mask("della", 0.5, epsilon=number(0.2), seed=2**53 - 1)
    one_delta, two_delta, three_delta = (r.difference(model, base) for model in (one, two, three))

    def output(name, value, dtype=None):
        text.append(f'output "dist/{name}" = {value.text} {{\n  overflow inf\n{f"  dtype {dtype}{chr(10)}" if dtype else ""}}}\n')
        case.outputs.append(Output(f"dist/{name}", value, dtype and word(dtype), "inf"))

    def merged(name, method, mask=None, dtype=None, of=members, ws=weights):
        lines = [r.Line(m.text, [m], r.Clauses(number(w) if method.weighs and ws else None)) for m, w in zip(of, ws or [1.0] * len(of))]
        block = r.Block("m_" + name.replace("-", "_"), base, method, lines, r.Clauses(mask=mask))
        text.append(block.text())
        output(name, block.model(), dtype)

    def called(name, method, models, ws=None, dtype=None):
        output(name, r.called_with_models(method, models, ws and [number(w) for w in ws]), dtype)

    for name, masks in (("random", dare), ("random-l1", mask("random", 0.4, seed=2**32, rescale=word("l1"))),
                        ("random-none", mask("random", 0.9, seed=1, rescale=word("none"), stream=2**40)),
                        ("della", ranks), ("della-l1", mask("della", 0.4, per=word("tensor"), rescale=word("l1"), seed=3)),
                        ("della-last", mask("della", 0.6, epsilon=number(0.39), per=word("last"), seed=4)),
                        ("magnitude-l1", mask("magnitude", 0.4, per=word("row"), rescale=word("l1"))),
                        ("breadcrumbs", r.mask_method("breadcrumbs", number(0.5), number(0.1), rescale=word("l1"))),
                        ("model", mask("magnitude", 0.3, per=word("model"))),
                        ("model-l1", mask("magnitude", 0.25, per=word("model"), rescale=word("l1"))),
                        ("model-none", r.mask_method("breadcrumbs", number(1e-9), number(0.3), per=word("model"), rescale=word("l1"))),
                        ("model-band", r.mask_method("breadcrumbs", number(0.4), number(0.05), per=word("model"), rescale=word("inv"))),
                        ("of", mask("magnitude", 0.3, of=three_delta)),
                        ("of-ranks", mask("della", 0.5, seed=5, of=three_delta)),
                        ("ranks-model", mask("della", 0.5, epsilon=number(0.3), per=word("model"), seed=8)),
                        ("ranks-model-l1", mask("della", 0.4, per=word("model"), rescale=word("l1"), seed=9, of=three_delta)),
                        ("ranks-model-none", mask("della", 1e-9, epsilon=number(9e-10), per=word("model"), rescale=word("none"), seed=1)),
                        ("both", r.mask_and(mask("random", 0.7, seed=6, rescale=word("none")), r.mask_not(mask("magnitude", 0.2, per=word("row")))))):
        merged(name, r.strategy("sum"), masks)
    for elect in ("none", "weighted", "unweighted", "count"):
        for divide in ("none", "weights", "count"):
            merged(f"ties-{elect}-{divide}", r.strategy("ties", None, word(elect), word(divide)), ranks if divide == "count" else dare)
    merged("mean", r.strategy("mean", number(1.5)), dare, "f64")
    merged("sce", r.choosing("sce"))
    merged("sce-select", r.choosing("sce", select=number(0.3)), mask("magnitude", 0.8))
    merged("ram", r.choosing("ram"), dtype="f32")
    merged("ram-coarse", r.choosing("ram", epsilon=number(0.002)), ranks)
    merged("plus", r.choosing("ram_plus", epsilon=number(0.001), r=number(0.5), alpha=number(0.7)))
    merged("consensus", r.choosing("consensus", scale=number(0.4)))
    merged("consensus-three", r.choosing("consensus", **{"lambda": number(0.1)}, at_least=r.Number("3", lambda c: 3)), dare)
    merged("magmax", r.choosing("magmax", scale=number(0.5)))
    merged("pcb", r.choosing("pcb", scale=number(1.2)))
    merged("pcb-masked", r.choosing("pcb", select=number(0.4), clip=number(0.1)), dare, "f32")
    for name, method in (("sce", r.choosing("sce")), ("sce-select", r.choosing("sce", select=number(0.5))), ("pcb", r.choosing("pcb")),
                         ("ram", r.choosing("ram")), ("plus", r.choosing("ram_plus")), ("magmax", r.choosing("magmax")),
                         ("consensus", r.choosing("consensus", at_least=r.Number("1", lambda c: 1))), ("step", r.multislerp()),
                         ("ties", r.strategy("ties")), ("mean", r.strategy("mean"))):
        merged(f"{name}-one", method, of=[two], ws=None)
    merged("stock", r.model_stock())
    merged("stock-row", r.model_stock(word("row")), dare, "f32")
    merged("stock-one", r.model_stock(), of=[two], ws=None)
    merged("near", r.nearswap(number(0.002)), of=[two], ws=None)
    merged("fusion", r.choosing("arcee_fusion"), of=[one], ws=None)
    # Sizes that are finite, so that there is a ratio.
    like, own = (r.masked(v, r.selector_mask(r.layers(0, None))) for v in (one_delta, two_delta))
    output("lines", r.onto(base, "+", r.lines(two_delta, number(-0.75), number(0.3))))
    output("lines-like", r.onto(base, "+", r.lines(own, number(0.7), number(0.4), like)))
    output("lines-vector", r.lines(own, number(0.7), like=r.call(r.strategy("mean"), [own, like])))
    paper = r.lines(r.call(r.strategy("ties"), [one_delta, two_delta]), number(0.4), like=r.call(r.strategy("mean"), [one_delta, two_delta]))
    output("lines-paper", r.onto(base, "+", paper), "f64")
    merged("step", r.multislerp())
    merged("turned", r.nuslerp(word("row")), of=[one, two], ws=[0.6, 0.5])
    called("turn", r.nuslerp(), [one, two], [0.3, 0.9])
    called("turn-row", r.nuslerp(word("row")), [one, three], [2.0, -0.5], "f32")
    called("karcher", r.karcher(), [one, base, two, three], [1.0, 0.0, 0.5, 2.0])
    called("karcher-steps", r.karcher(50, number(0.01)), [three, two, one], None, "f64")
    called("karcher-one", r.karcher(), [two])
    called("multislerp", r.multislerp(), [one, two, three], weights)
    output("slerp", r.slerp(one, two, number(0.3)), "f32")
    output("raw", r.linear([one, two, three], [number(w) for w in weights], word("false")), "f16")
    output("scaled", r.scale(two, number(-0.3)))
    output("scaled-f64", r.scale(two, number(0.1)), "f64")
    case.text = "\n".join(text)
    return case


# Masks of one for each member, whose counters are kept; those of magnitude and breadcrumbs without l1 are in strict/cases.json.
MASKED = ["random", "random-none", "random-l1", "della", "della-l1", "della-last", "magnitude-l1", "breadcrumbs",
          "model", "model-l1", "model-none", "model-band", "ranks-model", "ranks-model-l1", "ranks-model-none"]


class Recording:
    """The arithmetic of strict.py, and what its masks kept."""
    def __init__(self): self.kept = []
    def __getattr__(self, name): return getattr(rounded, name)
    def keep(self, mask, taus, stream):
        found = rounded.keep(mask, taus, stream)
        self.kept.append(found)
        return found


def counters(case, output, names):
    """By tensor with elements: those kept, groups that are empty, the first of them; a mask after the other."""
    recording, found = Recording(), {}
    for name, _, context, _ in expectations.values_of(case, output, recording):
        kept = [k[name] for k in recording.kept] if context.shape and 0 not in context.shape else []
        found[name] = [number for k in kept for number in (k.count, k.empty, k.first_empty)]
        recording.kept.clear()
    return [found[name] for name in names]


def digest(tensor):
    """Dtype and the first 64 bits of SHA-256: what is compared is made by us, not by somebody who looks for collisions."""
    return f"{tensor.dtype} {hashlib.sha256(np.ascontiguousarray(tensor.bits).tobytes()).hexdigest()[:16]}"


def main():
    result, count, models = {}, 0, stored_models()
    for mixture, stored in {**models, "F8": narrow_models(models["F16"]), "long": long_models(), "extreme": extreme_models()}.items():
        case = made(stored)
        if mixture == "long": case.outputs = [o for o in case.outputs if o.path.removeprefix("dist/") in LONG_OUTPUTS]
        names = sorted(case.shapes, key=str.encode)
        found = {}
        for output in case.outputs:
            tensors = expectations.expected(case, output)
            found[output.path] = [digest(tensors[name]) for name in names]
            count += len(names)
        masked = {o.path: counters(case, o, names) for o in case.outputs if o.path.removeprefix("dist/") in MASKED}
        result[mixture] = {"tensors": names, "outputs": found, "kept": masked}
    lines = [f' {json.dumps(mixture)}: {{"tensors": {json.dumps(sets["tensors"])}, "outputs": {{\n  ' +
             ",\n  ".join(f"{json.dumps(path)}: {json.dumps(' '.join(found))}" for path, found in sets["outputs"].items()) + "\n },\n \"kept\": {\n  " +
             ",\n  ".join(f"{json.dumps(path)}: {json.dumps(found, separators=(',', ':'))}" for path, found in sets["kept"].items()) + "\n }}"
             for mixture, sets in result.items()]
    path = GOLDEN / "methods.json"
    path.write_text('{"recipe": ' + json.dumps(case.text) + ',\n"models": {\n' + ",\n".join(lines) + "\n}}\n")
    print(f"{path}: {count} digests")


if __name__ == "__main__":
    main()
