"""A random recipe over random models.  One seed, one case; which options theta is run with is not decided here."""
import re

import numpy as np

import checkpoints
import expectations
import models
import recipe as r
import strict as st
import values
from draw import Draw, Output


def generate(seed):
    g = Draw(seed)
    models.draw_shapes(g)
    checkpoint_models = models.Models(g)
    checkpoint_models.draw()
    base, *others = [models.model_of(s) for s in g.case.sources]
    g.whole_vectors = [r.difference(m, base) for m in others if m.exception in (None, "missing base")]
    chat = [models.draw_adapter(g)] if g.chance(0.3) else []
    vectors = [draw_vector(g, others, base, chat) for _ in range(g.between(0, 3))]
    merges = []
    for _ in range(g.between(1, 4)):
        under = g.pick(merges) if merges and g.chance(0.3) else base
        entries = others + [m for m in merges if m is not under and g.chance(0.4)]
        if g.chance(0.6):
            draw = draw_angular_block if g.chance(0.3) else draw_block
            merges.append(draw(g, under, entries, vectors + chat))
        elif g.chance(0.25): merges.append(draw_block_of_models(g, base, entries))
        else: merges.append(draw_expression(g, base, entries, vectors + chat))
    draw_outputs(g, base, others, merges, vectors, checkpoint_models.huge is not None)
    write_text(g)
    return g.case


# ------------------------------------------------------------------------------------------------- merge blocks

def draw_block(g, base, entries, vectors):
    method = values.strategy(g)
    weight = (lambda: values.share(g)) if method.averages else lambda: values.weight(g)
    clauses = lambda p_weight, p_mask: r.Clauses(weight() if method.weighs and g.chance(p_weight) else None,
                                                 values.mask(g) if g.chance(p_mask) else None, g.chance(0.2))
    if method.takes[2] == 1:
        e = g.pick(entries + vectors)
        return declare_block(g, r.Block(g.name("merge merge").split()[1], base, method, [r.Line(e.text, [e], clauses(0.0, 0.5))]))
    chosen = g.some(entries)
    g.rng.shuffle(chosen)
    lines = list_lines(g, chosen, lambda: clauses(0.5, 0.4))
    lines += [r.Line(e.text, [e], clauses(0.7, 0.4)) for e in chosen]
    lines += [r.Line(v.text, [v], clauses(0.7, 0.4)) for v in (g.some(vectors) if vectors and g.chance(0.6) else [])]
    if g.chance(0.2):       # an entry is an expression
        v = combined_vector(g, entries, base, vectors)
        if v.text not in [line.text for line in lines]: lines.append(r.Line(v.text, [v], clauses(0.7, 0.4)))
    g.rng.shuffle(lines)
    each = clauses(0.2, 0.35) if g.chance(0.6) else r.Clauses()
    ats = draw_ats(g, [base, *entries], lines, clauses, lambda: r.Clauses(weight()) if method.weighs else r.Clauses(mask=values.mask(g)))
    return declare_block(g, r.Block(g.name("merge merge").split()[1], base, method, lines, each, ats, g.chance(0.2), g.chance(0.2)))


def draw_angular_block(g, base, entries, vectors):
    """Vectors merged by their angles or distances; how many there may be is the method's."""
    chosen = g.some(entries) + (g.some(vectors) if vectors and g.chance(0.4) else [])
    g.rng.shuffle(chosen)
    method = values.angular(g, "vectors", len(chosen))
    _, _, most = method.takes
    lines = [r.Line(e.text, [e], r.Clauses(values.share(g) if method.weighs and g.chance(0.6) else None,
                                           values.mask(g) if g.chance(0.3) else None, g.chance(0.2))) for e in chosen[:most]]
    each = r.Clauses(None, values.mask(g)) if g.chance(0.2) else r.Clauses()
    return declare_block(g, r.Block(g.name("merge merge").split()[1], base, method, lines, each))


def draw_block_of_models(g, base, entries):
    """Without a base: linear, slerp of two, or others by angles."""
    weight = lambda: values.share(g)
    clauses = lambda p_weight, _=0: r.Clauses(weight() if g.chance(p_weight) else None)
    chosen = [base, *g.some(entries)]
    if g.chance(0.4):
        method = values.angular(g, "models", len(chosen))
        lines = [r.Line(e.text, [e], clauses(0.6)) for e in chosen[:method.takes[2]]]
        return declare_block(g, r.Block(g.name("merge merge").split()[1], None, method, lines))
    if g.chance(0.25):
        lines, method = [r.Line(e.text, [e], r.Clauses()) for e in chosen[:2]], r.slerp_strategy(values.number(g, 0.0, 1.0))
        return declare_block(g, r.Block(g.name("merge merge").split()[1], None, method, lines))
    method = r.linear_strategy(values.boolean(g, 0.3))
    lines = [r.Line(e.text, [e], clauses(0.7)) for e in chosen[:1]]
    rest = chosen[1:]
    lines += list_lines(g, rest, lambda: clauses(0.5)) + [r.Line(e.text, [e], clauses(0.7)) for e in rest]
    ats = draw_ats(g, [base, *entries], lines, clauses, lambda: r.Clauses(weight()))
    block = r.Block(g.name("merge merge").split()[1], None, method, lines, clauses(0.4), ats, g.chance(0.2), g.chance(0.2))
    return declare_block(g, block)


def declare_block(g, block):
    g.declare(block.text())
    return block.model()


def list_lines(g, chosen, clauses):
    """Lines that are `models` lists; what they take is removed from `chosen`."""
    if len(chosen) < 2 or not g.chance(0.3): return []
    found = draw_list(g, chosen)
    if found is None: return []
    name, members = found
    chosen[:] = [m for m in chosen if m.text not in [member.text for member in members]]
    return [r.Line(name, members, clauses())]


def draw_list(g, chosen):
    """Declares `models` of some: → its name and members, or None."""
    case, name = g.case, g.name("models runs")
    sources = {s.name: s for s in case.sources}
    runs = sorted((s for s in case.sources if s.path.startswith("runs/")), key=lambda s: s.path.encode())
    if runs and g.chance(0.7) and {s.name for s in runs} <= {m.text for m in chosen}:
        g.declare(f'{name} = "{g.pick(["runs/*/final", "runs/*/*", "runs/?*/fin*"])}"\n')
        return name.split()[1], [models.model_of(s) for s in runs]
    # All of a list share its exceptions, which mean nothing to the others.
    listed = [sources[m.text] for m in chosen if m.text in sources]
    broken = [s for s in listed if not s.plain][:1]
    listed = [s for s in listed if s.plain or s in broken]
    if len(listed) < 2: return None
    settings = f" {{\n  {chr(10).join(broken[0].settings())}\n}}" if broken else ""
    g.declare(f"{name} = [{', '.join(quoted(s.path) for s in listed)}]{settings}\n")
    return name.split()[1], [models.model_of(s) for s in listed]


def quoted(path): return f'"{path}"'


def draw_ats(g, kept_models, lines, clauses, fallback):
    """`at` blocks and `keep`s that each win for some tensor; a `keep` wins over blocks whatever the order."""
    wanted = [([values.selector(g) for _ in range(g.pick([1, 1, 1, 2]))], g.chance(0.35)) for _ in range(g.between(0, 4))]
    kept, left, ats = set(), set(g.case.shapes), []
    taken_by = lambda selectors: set().union(*(values.matching(g, s) for s in selectors))
    complete = [m for m in kept_models if m.exception is None or "extra" in m.exception]
    for selectors, keeps in wanted:
        takes = taken_by(selectors)
        # Where little is left to the merge, a `match` in it may have an arm that never wins.
        if not keeps or len(kept | takes) > len(left) / 2 or not takes - kept: continue
        ats.append(r.At(selectors, keep=g.pick(complete)))
        kept |= takes
    left -= kept
    for selectors, keeps in wanted:
        takes = taken_by(selectors)
        if keeps or not takes & left: continue
        left -= takes
        stated = {}
        for line in {g.between(0, len(lines)) for _ in range(g.pick([1, 1, 2]))}:
            own = clauses(0.7, 0.5)
            stated[line] = own if own.text() else fallback()
        at = r.At(selectors, clauses=stated)
        ats.insert(g.between(0, len(ats) + 1) if not any(a.clauses for a in ats) else len(ats), at)
    return ats


# ------------------------------------------------------------------------------------------------- expressions

def draw_vector(g, others, base, chat):
    name = g.name("vector vector")
    v = combined_vector(g, others, base, chat)
    g.declare(f"{name} = {v.text}\n")
    return v._replace(text=name.split()[1])


def combined_vector(g, others, base, vectors, depth=2):
    """An expression of vectors on the base."""
    checkpoints_of_base = [m for m in others if m.donor != "merged"]
    v = g.pick(vectors) if vectors and g.chance(0.3) else r.difference(g.pick(checkpoints_of_base), base)
    part = lambda: combined_vector(g, others, base, vectors, depth - 1) if depth else r.difference(g.pick(others), base)
    for _ in range(g.between(0, 3)):
        kind = g.between(0, 10)
        if kind == 0: v = r.masked(v, values.mask(g))
        if kind == 1: v = r.times(values.factor(g, 0.1, 1.5), v)
        if kind == 2: v = r.divided(v, values.number(g, 0.5, 2))
        if kind == 3: v = r.minus(v)
        if kind == 4: v = r.add(v, g.pick("+-"), part())
        if kind == 5: v = r.times_behind(v, values.number(g, -1.5, -0.1))
        if kind == 6 and depth: v = called(g, [v, part()], r.difference(g.pick(checkpoints_of_base), base), base)
        if kind == 7 and depth:
            arms = values.arms(g, part)
            if arms: v = r.match_vector(arms, v)
        if kind == 8: v = r.rebase(v, base)
        if kind == 9:
            like = g.pick(g.whole_vectors) if g.whole_vectors and g.chance(0.6) else None
            v = r.lines(v, values.factor(g, -0.5, 1.5), values.factor(g, 0.0, 1.2) if g.chance(0.7) else None, like)
    return v


def called(g, vectors, lone, base):
    """A strategy called with vectors, alone or by its declared name; one that looks at a base with `lone`, which is of `base`."""
    if g.chance(0.3):
        method = values.angular(g, "vectors", len(vectors))
        weights = [values.share(g) for _ in vectors[:method.takes[2]]] if method.weighs and g.chance(0.6) else None
        return r.call(method, vectors[:method.takes[2]], weights)
    method = values.strategy(g)
    while method.text.startswith("match("): method = values.strategy(g)
    if method.takes[2] == 1: return r.call(method, [lone], base=base)
    weight = lambda: values.share(g) if method.averages else values.weight(g)
    given = g.rng.random() if method.weighs else 1
    return r.call(method, vectors, [weight() for _ in vectors] if given < 0.5 else weight() if given < 0.65 else None)


def draw_expression(g, base, entries, vectors):
    m = expression(g, base, entries, vectors, 2)
    name = g.name("merge merge")
    g.declare(f"{name} = {m.text}\n")
    return m._replace(text=name.split()[1])


def expression(g, base, entries, vectors, depth):
    """A model; its first input has every tensor of the base."""
    kind = g.rng.random()
    again = lambda: expression(g, base, entries, vectors, depth - 1) if depth and g.chance(0.3) else g.pick(entries)
    first = base if g.chance(0.6) else g.pick(complete(g, [base, *entries]))
    if kind < 0.3:
        inputs, text = [first, *(again() for _ in range(g.between(0, 3)))], None
        if g.chance(0.3) and (found := draw_list(g, entries)):
            inputs, text = inputs + found[1], ", ".join([*(m.text for m in inputs), found[0]])
        weight = lambda: values.share(g)
        given = g.rng.random()
        weights = [weight() for _ in inputs] if given < 0.5 else weight() if given < 0.7 else None
        return r.linear(inputs, weights, values.boolean(g, 0.3), text)
    if kind < 0.4:
        inputs = [first, *(again() for _ in range(g.between(1, 4)))]
        method = values.angular(g, "models", len(inputs))
        inputs = inputs[:method.takes[2]]
        return r.called_with_models(method, inputs, [values.share(g) for _ in inputs] if g.chance(0.6) else None)
    if kind < 0.5:
        return r.slerp(first, again(), r.number(g.pick([0.0, 1.0])) if g.chance(0.1) else values.number(g, 0.0, 1.0))
    if kind < 0.55: return r.scale(first, values.factor(g, -1.5, 1.5))
    if kind < 0.63:
        arms = values.arms(g, again_complete(g, base, entries))
        if arms: return r.match_model(arms, first)
    if kind < 0.75:
        other = again_complete(g, base, entries)()
        return r.onto(other, g.pick("++-"), r.rebase(combined_vector(g, entries, base, vectors), other))
    m = r.onto(base, g.pick("++-"), combined_vector(g, entries, base, vectors))
    return r.onto(m, g.pick("+-"), combined_vector(g, entries, base, vectors)) if g.chance(0.2) else m


def draw_stack(g, models):
    """Layers of some models, and sometimes more around them."""
    depths = g.case.depths
    depth = depths[LAYERS]

    def part():
        model, first = g.pick(models), g.between(0, depth)
        if g.chance(0.2): return r.whole(model, depth)
        end = g.between(first + 1, depth + 1)
        return r.slice_(model, g.pick([(first, end), (first, None), (first - depth, None), (0, end)]), depth)
    stacked = lambda parts: r.stack(parts, LAYERS, list(g.case.shapes), depths, len(depths) > 1 or g.chance(0.2))
    parts = [part() for _ in range(g.between(1, 5))]
    if g.chance(0.25):      # some of it is a stack of its own
        inner, name = stacked(parts), g.name("merge tall")
        g.declare(f"{name} = {inner.text}\n")
        inner = inner._replace(text=name.split()[1])
        layers = inner.depths[LAYERS]
        first = g.between(0, layers)
        parts = [part() for _ in range(g.between(0, 2))]
        parts.append(r.slice_(inner, (first, g.between(first + 1, layers + 1)), layers) if g.chance(0.7) else r.whole(inner, layers))
        if g.chance(0.5): parts.append(part())
    m, around = stacked(parts), g.rng.random()
    if around < 0.25: m = r.scale(m, values.ramp(g, 0.5, 1.5, lambda: values.number(g, 0.5, 1.5, 0)))
    elif around < 0.4 and not any(part.model.layers for part in parts):
        other = stacked([part._replace(text=part.text.replace(part.model.text, new.text), model=new)
                         for part, new in ((part, g.pick(models)) for part in parts)])
        m = r.linear([m, other], [values.number(g, 0.1, 1.2, 0) for _ in range(2)])._replace(layers=m.layers, depths=m.depths)
    name = g.name("merge tall")
    g.declare(f"{name} = {m.text}\n")
    return m._replace(text=name.split()[1])


LAYERS = "model.layers"


def again_complete(g, base, entries):
    found = complete(g, [base, *entries])
    return lambda: g.pick(found)


def complete(g, entries):
    """Those that store every tensor of the base, so that they can be an output's donor."""
    tied = {source.name for source in g.case.sources if source.tied}
    return [m for m in entries if m.exception is None and m.donor not in tied]


# ------------------------------------------------------------------------------------------------- outputs and text

def draw_outputs(g, base, others, merges, vectors, huge):
    wanted = [m for m in merges if g.chance(0.5)] or merges[-1:]
    wanted += [v for v in vectors if g.chance(0.2)]
    if g.chance(0.1): wanted.append(g.pick(complete(g, [base, *others])))
    # With float64 about, a layer that a stack has twice can take part in two work types, and then it has no one threshold.
    narrow = not any(tensor.dtype == "F64" for source in g.case.sources for tensor in source.tensors.values())
    is_wide = any(re.search("per: model|like:", statement) for statement in g.statements)
    if g.chance(0.3) and not g.case.aliases and (narrow or not is_wide):
        wanted.append(draw_stack(g, complete(g, [base, *others, *merges])))
    for i, value in enumerate(wanted):
        narrow_only = isinstance(value, r.Model) and value.layers and is_wide
        dtype = values.word(g, ["f32", "bf16"] if narrow_only else ["f32", "f32", "bf16", "bf16", "f16", "f64", "f8_e4m3", "f8_e5m2"]) if g.chance(0.4) else None
        settings = [f"dtype {dtype.text}"] if dtype else []
        if g.chance(0.2): settings.append(f"shard {g.pick(['20kB', '64KiB', '1MB'])}")
        # A propagated NaN can spread over a whole tensor by a sum, which counts as overflow.
        broken = huge or any(source.nan == "propagate" for source in g.case.sources)
        overflow = g.pick(["saturate", "inf"]) if broken or g.chance(0.1) else None
        if overflow: settings.append(f"overflow {overflow}")
        block = f" {{ {settings[0]} }}" if len(settings) == 1 else " {\n  " + "\n  ".join(settings) + "\n}"
        g.declare(f'output "dist/out{i}" = {value.text}{block if settings else ""}\n')
        g.case.outputs.append(Output(f"dist/out{i}", value, dtype, overflow))


def write_text(g):
    statements = list(g.statements)
    if g.chance(0.3): statements = into_library(g, statements)
    g.case.statements = list(statements)
    if g.chance(0.5): g.rng.shuffle(statements)
    text = "theta 1\n\n" + "".join(statements)
    if g.chance(0.1): text = re.sub(r", (?=[^\"]*(?:\"[^\"]*\"[^\"]*)*$)", ",\n      ", text, flags=re.MULTILINE)
    if g.chance(0.2): text = "".join(line + ("  # ← , { ( \"" if g.chance(0.3) else "") + "\n" for line in text.splitlines())
    if g.chance(0.1): text = text.replace("\n", "\r\n")
    g.case.text = ("\ufeff" if g.chance(0.1) else "") + text


def rewritten(case, rng):
    """The recipe with other names, another order of statements and comments: → text, parameters.  It means the same."""
    names = {re.match(r"\w+ (\w+)", s)[1] for s in case.statements if not s.startswith(("output", "import"))}
    names -= set(re.findall(r"\w+", case.library or ""))
    new = {name: f"{name}_{int(rng.integers(100))}" for name in names}
    rename = lambda part: re.sub(r"(?<!\.)\b[A-Za-z_]\w*\b", lambda found: new.get(found[0], found[0]), part)
    pieces = [re.split(r'("[^"]*")', s) for s in case.statements]     # strings keep what they say
    statements = ["".join(p if p.startswith('"') else rename(p) for p in parts) for parts in pieces]
    rng.shuffle(statements)
    return "theta 1 # the same\n\n" + "\n# and\n".join(statements), {new.get(k, k): v for k, v in case.parameters.items()}


def into_library(g, statements):
    """Moves what needs nothing of the recipe but parameters into a file of its own, to be imported."""
    named = lambda s: s.split()[1].rstrip(":")
    movable = [s for s in statements if re.match("(mask|strategy) ", s) and not re.search(r"\b(mask|part)\d+\b|\bof:", s.split("=", 1)[1])]
    movable += [s for s in statements if s.startswith("model ") and "{" not in s and g.chance(0.3)]
    if not movable: return statements
    parameters = [s for s in statements if s.startswith("param ")
                  and any(re.search(rf"\b{named(s)}\b", m) for m in movable)]
    g.case.library = "theta 1\n" + "".join([re.sub('"(models|runs)/', r'"../\1/', s) for s in movable] + parameters)
    given = [f"{named(s)}: {g.case.parameters[named(s)]!r}" for s in parameters if named(s) in g.case.parameters]
    names = "|".join(named(s) for s in movable)
    rest = [re.sub(rf"(?<![/\w\"])({names})\b(?!\")", r"lib.\1", s) for s in statements if s not in movable]
    for s in parameters:
        if not any(re.search(rf"\b{named(s)}\b", other) for other in rest if other != s):
            rest.remove(s)
            g.case.parameters.pop(named(s), None)
    return [f'import "lib/common.theta" as lib{f"({chr(44).join(given)})" if given else ""}\n', *rest]


# ------------------------------------------------------------------------------------------------- files, expectations

def write_inputs(case, directory, only=None):
    """Writes the models of a case (`only`: of this name); the same bits whenever it is called."""
    for number, source in enumerate(case.sources):
        if only not in (None, source.name): continue
        rng = np.random.default_rng([case.seed, number])
        config = {"model_type": "llama", "tie_word_embeddings": bool(case.aliases) or source.tied, "torch_dtype": "bfloat16",
                  "num_hidden_layers": case.depths[LAYERS]}
        shared = case.aliases if "lm_head.weight" in case.shapes else {}
        checkpoints.write_model(directory / source.path, source.tensors | source.integers, config, source.shards,
                                rng if rng.random() < 0.5 else None, shared)
    for path, modules, config in case.adapters:
        if only is None: checkpoints.write_adapter(directory / path, modules, config)


def change_one_tensor(case, rng):
    """Changes some elements of one tensor of one fine-tune: → its name."""
    source = case.sources[int(rng.integers(1, len(case.sources)))]
    names = [name for name in sorted(source.tensors) if source.tensors[name].bits.size]
    name = names[int(rng.integers(len(names)))]
    dtype, bits = source.tensors[name]
    x = st.widen(source.tensors[name], np.float64)
    x = x + np.where((rng.random(x.shape) < 0.5) & np.isfinite(x), 0.01, 0.0)
    source.tensors[name] = st.Tensor(dtype, st.narrow(x, dtype)[0].reshape(bits.shape))
    return source.name


def second_recipe(case, output, rng):
    """A recipe over a vector that `output` wrote: → text, its own output."""
    stored = expectations.expected(case, output)
    llama = models.model_of(case.base)
    v = r.stored_vector("delta", stored)
    factor = r.number(round(float(rng.uniform(0.1, 2)), 3))
    text = f'theta 1\nbase llama = "{case.base.path}"\nvector delta = "{output.path}" on llama {{ nan propagate }}\n'
    m = r.onto(llama, "-", r.times(factor, v))
    return f'{text}merge back = {m.text}\noutput "dist/back" = back {{\n  dtype f32\n  overflow inf\n}}\n', Output("dist/back", m, r.word("f32"), "inf")
