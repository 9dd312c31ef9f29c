"""Writes ../golden/recipes.json: recipes over the examples' checkpoints and the digest of every tensor that they make.

The digests come from strict.py, never from theta.  test/e2e/golden.test.ts builds the recipes without Python.  Run this by
hand when METHODS.md changes what a recipe means:  .venv/bin/python golden.py
"""
import hashlib
import json
import pathlib

import numpy as np

import checkpoints
import recipe as r
import strict as st

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples"


class Example:
    """The checkpoints of an example, as models of recipe.py."""

    def __init__(self, name, files):
        self.name = name
        self.stored = {key: checkpoints.read_file(EXAMPLES / name / path)[0] for key, path in files.items()}
        self.models = {key: r.checkpoint(key, tensors) for key, tensors in self.stored.items()}
        self.depths = {}
        for tensor in next(iter(self.stored.values())):
            place = r.Context(tensor, (tensor,), (), {}).stack()
            if place: self.depths[place[0]] = max(self.depths.get(place[0], 0), place[1] + 1)

    def digests(self, value, dtype=None):
        """{tensor: [dtype, sha256]}"""
        is_model, result = isinstance(value, r.Model), {}
        for name, stored in next(iter(self.stored.values())).items():
            out = dtype or (self.stored[value.donor][name].dtype if is_model else "F32")
            context = r.Context(name, (name,), stored.bits.shape, self.depths)
            value.value(context)
            context.W = st.work_type(out, *context.dtypes)
            bits = st.narrow(value.value(context), out)[0]
            result[name] = [out, hashlib.sha256(np.ascontiguousarray(bits).tobytes()).hexdigest()]
        return result


def block(base, method, lines, each=None, ats=()):
    lines = [r.Line("", members, clauses) for members, clauses in lines]
    return r.Block("", base, method, lines, each or r.Clauses(), list(ats)).model()


def digits_example():
    tasks = sorted(path.stem for path in (EXAMPLES / "digits/data/tasks").glob("*.safetensors"))
    example = Example("digits", {"encoder": "data/base.safetensors"} | {t: f"data/tasks/{t}.safetensors" for t in tasks})
    base = example.models["encoder"]
    crumbs = r.mask_method("breadcrumbs", r.number(0.9), r.number(0.01))
    largest = r.mask_method("magnitude", r.number(0.8))
    outputs = {}
    for group, names, scale, ties_scale in (("rotations", ["upright", "rot90", "rot180", "rot270"], 0.3, 0.5),
                                            ("all", tasks, 0.1, 0.35)):
        members = [example.models[name] for name in names]
        total, ties = r.strategy("sum", r.number(scale)), r.strategy("ties", r.number(ties_scale))
        outputs[f"dist/{group}-sum"] = block(base, total, [(members, r.Clauses())])
        outputs[f"dist/{group}-breadcrumbs"] = block(base, total, [(members, r.Clauses(mask=crumbs))])
        outputs[f"dist/{group}-ties"] = block(base, ties, [(members, r.Clauses())], r.Clauses(mask=largest))
    return "the digits example", example, None, {path: (value, None) for path, value in outputs.items()}


def tiny_llama():
    return Example("tiny-llama", {"llama": "data/base/model.safetensors"}
                   | {name: f"data/{name}/model.safetensors" for name in ("python", "c", "prose")})


def tiny_llama_example():
    example = tiny_llama()
    llama, python, c, prose = (example.models[name] for name in ("llama", "python", "c", "prose"))
    crumbs = r.mask_method("breadcrumbs", r.number(0.8), r.number(0.006))
    assistant = block(llama, r.strategy("ties", r.number(0.3)), [
        ([python], r.Clauses()),
        ([c], r.Clauses(r.number(0.8))),
        ([prose], r.Clauses(r.ramp([r.number(1), r.number(2)]), r.mask_method("magnitude", r.number(0.7)))),
    ], r.Clauses(mask=crumbs), [
        r.At([r.glob("*norm.weight")], keep=llama),
        r.At([r.and_(r.layers(0, 1), r.glob("*.mlp.*"))], clauses={2: r.Clauses(r.number(0.5))}),
    ])
    soup = block(llama, r.strategy("sum", r.number(0.15)), [([m], r.Clauses()) for m in (python, c, prose)])
    return "the tiny-llama example", example, None, {"dist/assistant": (assistant, "BF16"), "dist/soup": (soup, None)}


HEAD = """theta 1

base  llama  = "data/base"
model python = "data/python"
model c      = "data/c"
model prose  = "data/prose"
"""


def expressions():
    example = tiny_llama()
    llama, python, c, prose = (example.models[name] for name in ("llama", "python", "c", "prose"))
    by_rows = r.mask_method("magnitude", r.number(0.3), per=r.word("row"), rescale=r.word("l1"))
    band = r.mask_method("breadcrumbs", r.number(0.5), r.number(0.05), per=r.word("tensor"), rescale=r.word("inv"))
    python_delta, c_delta = r.named(r.difference(python, llama), "python_delta"), r.named(r.difference(c, llama), "c_delta")
    either = r.mask_or(r.mask_method("magnitude", r.number(0.1)), r.mask_not(r.mask_method("magnitude", r.number(0.8))))
    weights = r.match_number([(r.glob("*self_attn*"), r.ramp([r.number(0.0), r.number(0.5), r.number(1.0)])),
                              (r.layers(-1, None), r.number(0.25))], r.number(0.75))
    outputs = {
        "dist/linear": (r.linear([llama, python, c], [r.number(0.5), r.number(0.3), weights]), None),
        "dist/halfway": (r.slerp(python, prose, r.match_number([(r.glob("*norm*"), r.number(0.0))], r.ramp([r.number(0.2), r.number(0.9)]))), None),
        "dist/turn": (r.slerp(r.onto(llama, "-", r.times(r.number(3.0), python_delta)), prose, weights), "F32"),
        "dist/plain": (r.linear([python, prose], [r.number(0.5), r.number(0.25)], normalize=r.word("false")), "F16"),
        "dist/forget": (r.onto(llama, "-", r.times(r.number(0.5), python_delta)), "F32"),
        "dist/analogy": (r.onto(c, "+", r.rebase(python_delta, c)), None),
        "dist/both": (r.onto(llama, "+", r.call(r.strategy("ties", None, r.word("count"), r.word("count")), [
            r.masked(python_delta, by_rows), r.masked(c_delta, band)], [r.number(0.3), r.number(0.6)])), None),
        "dist/mean": (block(llama, r.strategy("mean", r.number(1.5)), [
            ([python], r.Clauses(r.number(0.7), by_rows)),
            ([c], r.Clauses(mask=band)),
            ([prose], r.Clauses(mask=either))]), None),
        "dist/wide": (block(llama, r.strategy("ties", r.number(0.9), r.word("unweighted"), r.word("none")), [
            ([python], r.Clauses(r.number(-0.5))), ([c], r.Clauses()), ([prose], r.Clauses(weights))],
            r.Clauses(mask=band)), "F64"),
        "dist/delta": (r.masked(r.add(r.divided(python_delta, r.number(3.0)), "-", c_delta), by_rows), None),
    }
    text = HEAD + """
vector python_delta = python - llama
vector c_delta      = c - llama
vector delta        = (python_delta / 3.0 - c_delta) & by_rows

mask by_rows = magnitude(density: 0.3, per: row, rescale: l1)
mask band    = breadcrumbs(density: 0.5, drop_top: 0.05, per: tensor, rescale: inv)

merge soup    = linear(llama, python, c, weight: [0.5, 0.3, match("*self_attn*": ramp(0, 0.5, 1), layers(-1..): 0.25, else: 0.75)])
merge halfway = slerp(python, prose, t: match("*norm*": 0, else: ramp(0.2, 0.9)))
merge turn    = slerp(llama - 3.0 * python_delta, prose, t: match("*self_attn*": ramp(0, 0.5, 1), layers(-1..): 0.25, else: 0.75))
merge plain   = linear(python, prose, weight: [0.5, 0.25], normalize: false)
merge forget  = llama - 0.5 * python_delta
merge analogy = c + rebase(python_delta, c)
merge both    = llama + ties(python_delta & by_rows, c_delta & band, weight: [0.3, 0.6], elect: count, divide: count)
merge average onto llama using mean(scale: 1.5) {
  python  weight 0.7  mask by_rows
  c       mask band
  prose   mask magnitude(density: 0.1) | !magnitude(density: 0.8)
}
merge wide onto llama using ties(scale: 0.9, elect: unweighted, divide: none) {
  each    mask band
  python  weight -0.5
  c
  prose   weight match("*self_attn*": ramp(0, 0.5, 1), layers(-1..): 0.25, else: 0.75)
}

output "dist/linear"  = soup
output "dist/halfway" = halfway
output "dist/turn"    = turn { dtype f32 }
output "dist/plain"   = plain { dtype f16 }
output "dist/forget"  = forget { dtype f32 }
output "dist/analogy" = analogy
output "dist/both"    = both
output "dist/mean"    = average
output "dist/wide"    = wide { dtype f64 }
output "dist/delta"   = delta
"""
    return "expressions", example, text, outputs


def nested():
    example = tiny_llama()
    llama, python, c, prose = (example.models[name] for name in ("llama", "python", "c", "prose"))
    crumbs = r.mask_method("breadcrumbs", r.number(0.15), r.number(0.006), stream=5)
    code = block(llama, r.strategy("ties"), [([python], r.Clauses()), ([c], r.Clauses(r.number(0.4)))], r.Clauses(mask=crumbs))
    all_ = block(code, r.strategy("sum"), [([prose], r.Clauses(r.number(0.3), r.mask_method("magnitude", r.number(0.2)))),
                                          ([python], r.Clauses(r.number(0.1)))],
                 ats=[r.At([r.tensors(["lm_head.*", "*embed_tokens*"])], keep=prose),
                      r.At([r.layers(1, 3)], clauses={0: r.Clauses(mask=crumbs)}),
                      r.At([r.not_(r.layers(0, None))], keep=llama),
                      r.At([r.glob("*.mlp.*")], clauses={0: r.Clauses(r.number(0.9)), 1: r.Clauses(r.number(0.0))})])
    text = HEAD + """
mask crumbs = breadcrumbs(density: 0.15, drop_top: 0.006, stream: 5)

merge code onto llama using ties {
  each    mask crumbs
  python
  c       weight 0.4
}
merge everything onto code using sum {
  prose   weight 0.3  mask magnitude(density: 0.2)
  python  weight 0.1
  at "lm_head.*", "*embed_tokens*"  keep prose
  at layers(1..3) {
    prose  mask crumbs
  }
  at !layers(0..)  keep llama
  at "*.mlp.*" {
    prose   weight 0.9
    python  weight 0
  }
}

output "dist/everything" = everything { dtype f32 }
output "dist/code"       = code
"""
    return "a merge onto a merge", example, text, {"dist/everything": (all_, "F32"), "dist/code": (code, None)}


def angles():
    """What goes by angles and distances, on models and on vectors."""
    example = tiny_llama()
    llama, python, c, prose = (example.models[name] for name in ("llama", "python", "c", "prose"))
    number, row = r.number, r.word("row")
    apart = r.onto(llama, "-", r.times(number(3.0), r.named(r.difference(python, llama), "python_delta")))
    clauses = lambda weight: r.Clauses(number(weight))
    largest = r.Clauses(mask=r.mask_method("magnitude", number(0.5), per=row))
    tol = r.match_number([(r.glob("*norm*"), number(0.5))], number(1e-7))
    models = lambda method, members, weights=None: r.called_with_models(method, members, weights and [number(w) for w in weights])
    outputs = {
        "dist/nuslerp": (models(r.nuslerp(), [apart, prose], [0.3, 0.9]), None),
        "dist/nuslerp-row": (models(r.nuslerp(row), [apart, prose], [2.0, -0.5]), "F32"),
        "dist/nuslerp-vectors": (block(llama, r.nuslerp(row), [([python], clauses(0.6)), ([c], clauses(0.4))]), None),
        "dist/multislerp": (block(llama, r.multislerp(), [([python], clauses(0.6)), ([c], r.Clauses()), ([prose], r.Clauses())], largest), None),
        "dist/karcher": (models(r.karcher(), [apart, llama, c, prose], [1.0, 0.5, 0.0, 2.0]), None),
        "dist/karcher-steps": (models(r.karcher(50, tol), [apart, prose, python]), "F64"),
        "dist/stock": (block(llama, r.model_stock(), [([m], r.Clauses()) for m in (python, c, prose)]), None),
        "dist/stock-row": (block(llama, r.model_stock(row), [([m], r.Clauses()) for m in (python, c, prose)], largest), "F32"),
        "dist/nearswap": (block(llama, r.nearswap(number(0.002)), [([prose], r.Clauses())]), None),
    }
    text = HEAD + """
vector python_delta = python - llama
merge apart = llama - 3.0 * python_delta
mask largest = magnitude(density: 0.5, per: row)

merge halfway = nuslerp(apart, prose, weight: [0.3, 0.9])
merge beyond  = nuslerp(apart, prose, weight: [2.0, -0.5], per: row)
merge turned onto llama using nuslerp(per: row) {
  python  weight 0.6
  c       weight 0.4
}
merge step onto llama using multislerp {
  each    mask largest
  python  weight 0.6
  c
  prose
}
merge centre = karcher(apart, llama, c, prose, weight: [1.0, 0.5, 0.0, 2.0])
merge steps  = karcher(apart, prose, python, max_iter: 50, tol: match("*norm*": 0.5, else: 1e-7))
merge stock onto llama using model_stock {
  python
  c
  prose
}
merge stocks onto llama using model_stock(per: row) {
  each    mask largest
  python
  c
  prose
}
merge near onto llama using nearswap(t: 0.002) {
  prose
}

output "dist/nuslerp"         = halfway
output "dist/nuslerp-row"     = beyond { dtype f32 }
output "dist/nuslerp-vectors" = turned
output "dist/multislerp"      = step
output "dist/karcher"         = centre
output "dist/karcher-steps"   = steps { dtype f64 }
output "dist/stock"           = stock
output "dist/stock-row"       = stocks { dtype f32 }
output "dist/nearswap"        = near
"""
    return "angles and distances", example, text, outputs
def random_masks():
    example = tiny_llama()
    llama, python, c, prose = (example.models[name] for name in ("llama", "python", "c", "prose"))
    dare = r.mask_method("random", r.number(0.3), seed=7)
    ranks = r.mask_method("della", r.number(0.5), seed=2**53 - 1, epsilon=r.number(0.25))
    whole = r.mask_method("della", r.number(0.4), per=r.word("tensor"), rescale=r.word("l1"), seed=1, stream=9)
    members = lambda mask: [([m], r.Clauses(r.number(w))) for m, w in ((python, 0.5), (c, 0.3), (prose, 1.0))] + [mask]
    def merged(method, mask):
        *lines, each = members(r.Clauses(mask=mask))
        return block(llama, method, lines, each)
    prose_delta = r.difference(prose, llama)
    outputs = {
        "dist/dare": (merged(r.strategy("sum"), dare), None),
        "dist/dare-ties": (merged(r.strategy("ties", divide=r.word("none")), dare), "F32"),
        "dist/della": (merged(r.strategy("ties"), ranks), None),
        "dist/della-linear": (merged(r.strategy("sum"), whole), "F32"),
        "dist/of": (merged(r.strategy("mean"), r.mask_method("magnitude", r.number(0.4), of=prose_delta)), None),
        "dist/of-ranks": (r.masked(r.difference(c, llama), r.mask_method(
            "della", r.number(0.6), seed=3, per=r.word("last"), of=prose_delta)), None),
    }
    text = HEAD + """
mask dare  = random(density: 0.3, seed: 7)
mask ranks = della(density: 0.5, epsilon: 0.25, seed: 9007199254740991)
mask whole = della(density: 0.4, per: tensor, rescale: l1, seed: 1, stream: 9)

vector prose_delta = prose - llama
vector drawn       = (c - llama) & della(density: 0.6, seed: 3, per: last, of: prose_delta)

merge dare_ onto llama using sum {
  each    mask dare
  python  weight 0.5
  c       weight 0.3
  prose
}
merge dare_ties onto llama using ties(divide: none) {
  each    mask dare
  python  weight 0.5
  c       weight 0.3
  prose
}
merge della_ onto llama using ties {
  each    mask ranks
  python  weight 0.5
  c       weight 0.3
  prose
}
merge della_linear onto llama using sum {
  each    mask whole
  python  weight 0.5
  c       weight 0.3
  prose
}
merge of_ onto llama using mean {
  each    mask magnitude(density: 0.4, of: prose_delta)
  python  weight 0.5
  c       weight 0.3
  prose
}

output "dist/dare"         = dare_
output "dist/dare-ties"    = dare_ties { dtype f32 }
output "dist/della"        = della_
output "dist/della-linear" = della_linear { dtype f32 }
output "dist/of"           = of_
output "dist/of-ranks"     = drawn
"""
    return "random masks, and masks of another vector", example, text, outputs


def choosing():
    example = tiny_llama()
    llama, python, c, prose = (example.models[name] for name in ("llama", "python", "c", "prose"))
    by_rows = r.mask_method("magnitude", r.number(0.4), per=r.word("row"))
    every, number = [([m], r.Clauses()) for m in (python, c, prose)], r.number
    blocks = {
        "energy": block(llama, r.choosing("sce"), every),
        "selected": block(llama, r.choosing("sce", select=number(0.1)), every, r.Clauses(mask=by_rows)),
        "active": block(llama, r.choosing("ram", epsilon=number(0.001)), every),
        "plus": block(llama, r.choosing("ram_plus", epsilon=number(0.001), r=number(0.3)), every),
        "agreed": block(llama, r.choosing("consensus", scale=number(0.4)), [([python], r.Clauses(number(0.8))), *every[1:]]),
        "largest": block(llama, r.choosing("magmax", scale=number(0.5)), every),
        "balanced": block(llama, r.choosing("pcb", scale=number(1.2)), [([python], r.Clauses(number(0.8))), *every[1:]]),
        "competing": block(llama, r.choosing("pcb", select=number(0.3), clip=number(0.0)), every),
        "fused": block(llama, r.choosing("arcee_fusion"), every[:1]),
    }
    merge = lambda name, using, lines="  python\n  c\n  prose\n": f"merge {name} onto llama using {using} {{\n{lines}}}\n"
    text = HEAD + "\n" + "".join([
        merge("energy", "sce"),
        merge("selected", "sce(select: 0.1)", "  each mask magnitude(density: 0.4, per: row)\n  python\n  c\n  prose\n"),
        merge("active", "ram(epsilon: 0.001)"),
        merge("plus", "ram_plus(epsilon: 0.001, r: 0.3)"),
        merge("agreed", "consensus(scale: 0.4)", "  python  weight 0.8\n  c\n  prose\n"),
        merge("largest", "magmax(scale: 0.5)"),
        merge("balanced", "pcb(scale: 1.2)", "  python  weight 0.8\n  c\n  prose\n"),
        merge("competing", "pcb(select: 0.3, clip: 0)"),
        merge("fused", "arcee_fusion", "  python\n"),
    ]) + "\n" + "".join(f'output "dist/{name}" = {name}\n' for name in blocks)
    return "choosing elements", example, text, {f"dist/{name}": (value, None) for name, value in blocks.items()}


def main():
    recipes = []
    for name, example, text, outputs in (digits_example(), tiny_llama_example(), expressions(), nested(), angles(),
                                         random_masks(), choosing()):
        digests = {path: example.digests(value, dtype) for path, (value, dtype) in outputs.items()}
        recipes.append({"name": name, "example": example.name, "recipe": text, "outputs": digests})
    path = HERE.parent / "golden" / "recipes.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(recipes, indent=1) + "\n")
    print(f"{path}: {sum(len(d) for recipe in recipes for d in recipe['outputs'].values())} digests")


if __name__ == "__main__":
    main()
