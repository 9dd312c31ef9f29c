"""Random selectors, numbers, words, masks and strategies, each declared by name now and then."""
import recipe as r


# ------------------------------------------------------------------------------------------------- selectors

PATTERNS = ("*norm*", "*.mlp.*", "*self_attn*", "model.layers.[0-1].*", "*embed*", "lm_head.*", "*.weight", "model.*", "*conv*",
            "model.layers.?.*_proj.weight", "logit_scale", "b25*", "*", "{model,vision}.*", "*.{mlp,self_attn}.*", "b25[67].weight",
            "model.layers.[!0]*", "*{norm.weight,scale}", "strange*", "*[0-9]*")


def matching(g, selector):
    return {name for name in g.case.shapes if selector.takes(g.case.context(name))}


def selector(g, depth=2):
    """One that takes some tensor, but not all."""
    while True:
        s = any_selector(g, depth)
        if 0 < len(matching(g, s)) < len(g.case.shapes): break
    if not g.chance(0.12): return s
    name = g.name("mask part")
    g.declare(f"{name} = {s.text}\n")
    return r.named(s, name.split()[1])


def any_selector(g, depth):
    kind = g.rng.random()
    if depth and kind < 0.15: return r.and_(any_selector(g, depth - 1), any_selector(g, depth - 1))
    if depth and kind < 0.3: return r.or_(any_leaf(g), any_leaf(g))
    if depth and kind < 0.4: return r.not_(any_leaf(g))
    return any_leaf(g)


def any_leaf(g):
    if g.chance(0.35):
        stop = max(g.case.depths.values())
        first = g.between(0, stop)
        end = g.pick([None, stop, g.between(first + 1, stop + 1)])
        if end not in (None, stop) and g.chance(0.3): end -= stop      # counts from the end
        return r.layers(first - stop if g.chance(0.2) and end is None else first, end)
    patterns = [p for p in PATTERNS if matching(g, r.glob(p))]
    if g.chance(0.7): return r.glob(g.pick(patterns))
    return r.tensors(g.some(patterns)[:2])


def arms(g, make):
    """Arms of a `match` of which each wins somewhere."""
    left, found = set(g.case.shapes), []
    for _ in range(g.between(1, 3)):
        s = selector(g, 1)
        if matching(g, s) & left and left - matching(g, s):
            found.append((s, make()))
            left -= matching(g, s)
    return found


# ------------------------------------------------------------------------------------------------- numbers and words

def plain(g, low, high):
    x = float(g.rng.uniform(low, high))
    return min(max(round(x, g.between(1, 5)), low), high) if g.chance(0.8) else x


def number(g, low, high, depth=2):
    """Within [low, high] for every tensor, because each piece is."""
    make = lambda: number(g, low, high, depth - 1)
    kind = g.rng.random()
    if depth and kind < 0.12: return ramp(g, low, high, make)
    if depth and kind < 0.2:
        found = arms(g, make)
        if found: return r.match_number(found, make())
    if depth and kind < 0.24: return r.arithmetic(r.arithmetic(make(), "+", make()), "/", r.number(2.0))
    if depth and kind < 0.26: return r.arithmetic(make(), "*", number(g, 1.0, 1.0, 0))
    if depth and kind < 0.28: return r.arithmetic(make(), "-", number(g, 0.0, 0.0, 0))
    if depth and kind < 0.3: return r.negate(r.negate(make()))
    if kind < 0.38: return parameter(g, plain(g, low, high))
    return r.number(plain(g, low, high))


def ramp(g, low, high, make):
    over = None
    if g.chance(0.35):
        stop = max(g.case.depths.values())
        first = g.between(0, stop)
        over = (first, g.between(first + 1, stop + 1))
        if g.chance(0.3): over = (first - stop, None)
    points = [make() for _ in range(g.between(2, 5))]
    return r.ramp(points, over, make() if g.chance(0.5) else None)


def parameter(g, value):
    """A declared one, or half the time one that -p sets."""
    name, given, bound = g.name("param p"), g.chance(0.5), f"(min: {min(value, 0.125)!r})" if g.chance(0.2) and value >= 0 else ""
    default = r.number(0.125 if given else value)
    g.declare(f"{name}: number{bound} = {default.text}\n")
    name = name.split()[1]
    if given: g.case.parameters[name] = value
    return r.parameter(name, value)


def weight(g):
    kind = g.rng.random()
    if kind < 0.04: return r.number(0.0)
    if kind < 0.06: return r.number(1e-60)      # 0 in float32
    return number(g, -1.2, -0.1) if kind < 0.16 else number(g, 0.1, 1.3)


def share(g):
    """A weight that something is divided by: seldom 0 or negative, and then by less than others are positive."""
    kind = g.rng.random()
    if kind < 0.05: return r.number(g.pick([0.0, 1e-60, 1e-30]))
    if kind < 0.08: return r.number(round(float(g.rng.uniform(-0.09, -0.01)), 3))
    return number(g, 0.1, 1.3)


def factor(g, low, high):
    """Of a whole vector or model."""
    return r.number(g.pick([0.0, 1.0, -1.0, 1e-30, 1e-45, 2.0**-140])) if g.chance(0.06) else number(g, low, high)


def word(g, words):
    """One of them for all tensors, or by `match`."""
    make = lambda: r.word(g.pick(words))
    found = arms(g, make) if g.chance(0.12) else []
    return r.match_word(found, make()) if found else make()


def boolean(g, p):
    return word(g, ["true", "false"]) if g.chance(p) else None


# ------------------------------------------------------------------------------------------------- masks

def density(g):
    kind = g.rng.random()
    if kind < 0.05: return r.number(1.0)
    if kind < 0.08: return r.number(1e-7)       # keeps nothing of most groups, which warns
    if kind < 0.1: return r.number(g.pick([1 - 2.0**-53, 0.9999999, 2.0**-33, 1e-300]))
    return number(g, 0.02, 0.98)


def model_mask(g, rescales):
    """One threshold for all tensors, so nothing that decides it may vary."""
    how = word(g, ["none", "inv", "l1"]) if rescales and g.chance(0.7) else r.word("none") if g.chance(0.3) else None
    stream = g.pick([0, 1, 2**40]) if g.chance(0.2) else None
    least = r.word(g.pick(["true", "false"])) if g.chance(0.25) else None
    if g.chance(0.4): return model_ranks(g, how if rescales else r.word("none"), stream)
    kept = g.pick([plain(g, 0.02, 0.98), plain(g, 0.0, 0.02) or 0.01, 1e-9, 1.0]) if g.chance(0.2) else plain(g, 0.05, 0.7)
    of = deciding_vector(g, 0.15)
    if g.chance(0.6): return r.mask_method("magnitude", r.number(kept), None, r.word("model"), least, how, stream, of=of)
    drop_top = r.number(plain(g, 0.0, 0.3) if g.chance(0.85) else plain(g, 0.3, 0.99))
    return r.mask_method("breadcrumbs", r.number(kept), drop_top, r.word("model"), least, how, stream, of=of)


def deciding_vector(g, p):
    """The vector that a mask is computed from, or None for its own: a difference, or what is made of some."""
    if not g.whole_vectors or not g.chance(p): return None
    v = g.pick(g.whole_vectors)
    if g.chance(0.7): return v
    kind = g.between(0, 5)
    if kind == 0: return r.add(v, g.pick("+-"), g.pick(g.whole_vectors))
    if kind == 1: return r.times(number(g, -1.5, 1.5, 0), v)
    if kind == 2: return r.masked(v, r.mask_method("magnitude", r.number(plain(g, 0.1, 0.9)), None, r.word(g.pick(["row", "tensor"]))))
    if kind == 3: return r.call(r.strategy("ties"), [v, g.pick(g.whole_vectors)])
    return r.minus(v)


def model_ranks(g, how, stream):
    seed = g.pick([0, 1, 7, 2**53 - 1]) if g.chance(0.3) else g.between(0, 1000)
    of = deciding_vector(g, 0.25)
    kind = g.rng.random()
    if kind < 0.15: middle, epsilon = 0.5, g.pick([0.4999999, 0.49999999999, 1e-9, 1e-12])
    elif kind < 0.3: middle, epsilon = 1e-9, 9e-10          # keeps nothing, or nearly so
    else: middle, epsilon = plain(g, 0.3, 0.7), plain(g, 0.01, 0.29)
    return r.mask_method("della", r.number(middle), None, r.word("model"), None, how, stream, seed, r.number(epsilon), of)


def method_mask(g, rescales):
    if g.chance(0.2): return model_mask(g, rescales)
    per = word(g, ["row", "last", "tensor"]) if g.chance(0.7) else None
    how = word(g, ["none", "inv", "l1"]) if rescales and g.chance(0.7) else r.word("none") if g.chance(0.3) else None
    stream = g.pick([0, 1, 2, 7, 2**40]) if g.chance(0.1) else None
    kind = g.rng.random()
    if kind < 0.4: return random_mask(g, per, how if rescales else r.word("none"), stream)
    of = deciding_vector(g, 0.15)
    if kind < 0.7: return r.mask_method("magnitude", density(g), None, per, boolean(g, 0.25), how, stream, of=of)
    drop_top = number(g, 0.0, 0.3) if g.chance(0.85) else number(g, 0.3, 0.99)
    return r.mask_method("breadcrumbs", density(g), drop_top, per, boolean(g, 0.25), how, stream, of=of)


def random_mask(g, per, how, stream):
    seed = g.pick([0, 1, 7, 2**32 - 1, 2**32, 2**53 - 1]) if g.chance(0.3) else g.between(0, 1000)
    if g.chance(0.45): return r.mask_method("random", density(g), None, None, None, how, stream, seed)
    of = deciding_vector(g, 0.2)
    kind = g.rng.random()
    if kind < 0.1: middle, epsilon = r.number(0.5), r.number(g.pick([0.4999999, 0.49999999999, 1e-9, 1e-12]))
    elif kind < 0.15: middle, epsilon = r.number(1e-9), r.number(9e-10)     # the lowest thresholds are 0
    else:
        middle, epsilon = number(g, 0.3, 0.7), number(g, 0.01, 0.29)
        if g.chance(0.2): middle, epsilon = r.number(0.5), None
    return r.mask_method("della", middle, None, per, None, how, stream, seed, epsilon, of)


def mask(g):
    kind = g.rng.random()
    if kind < 0.55: found = method_mask(g, True)
    elif kind < 0.65: found = r.selector_mask(selector(g))
    elif kind < 0.72: found = r.mask_and(method_mask(g, True), r.selector_mask(selector(g)))
    elif kind < 0.75: found = r.mask_and(r.selector_mask(selector(g)), method_mask(g, True))
    elif kind < 0.82: found = r.mask_or(method_mask(g, False), method_mask(g, False))
    elif kind < 0.85: found = r.mask_or(r.selector_mask(selector(g)), method_mask(g, False))
    elif kind < 0.89: found = r.mask_and(method_mask(g, False), r.mask_not(method_mask(g, False)))
    elif kind < 0.92: found = r.mask_not(r.mask_or(method_mask(g, False), r.selector_mask(selector(g))))
    else:
        choices = arms(g, lambda: method_mask(g, True) if g.chance(0.8) else r.selector_mask(selector(g)))
        found = r.match_mask(choices, method_mask(g, True)) if choices else method_mask(g, True)
    if not g.chance(0.4): return found
    name = g.name("mask mask")
    g.declare(f"{name} = {found.text}\n")
    return r.named(found, name.split()[1])


# ------------------------------------------------------------------------------------------------- strategies

def strategy(g):
    found = any_strategy(g)
    if found.takes[2] != 1 and g.chance(0.15):
        choices = arms(g, lambda: any_strategy(g, single=False))
        if choices: found = r.match_strategy(choices, found)
    if not g.chance(0.12): return found
    name = g.name("strategy soft")
    g.declare(f"{name} = {found.text}\n")
    return r.named(found, name.split()[1])


def angular(g, over, most):
    """A method that takes at most so many vectors or models, and goes by angles or distances."""
    per = word(g, ["tensor", "row"]) if g.chance(0.6) else None
    kinds = ["multislerp"] + (["nuslerp"] if most >= 2 else []) + (["model_stock", "nearswap"] if over == "vectors" else ["karcher"])
    kind = g.pick(kinds)
    if kind == "model_stock": return r.model_stock(per)
    if kind == "nearswap": return r.nearswap(r.number(g.pick([0.0, 1e-45, 1e30])) if g.chance(0.15) else number(g, 0.0, 0.01))
    if kind == "nuslerp": return r.nuslerp(per)
    if kind == "multislerp": return r.multislerp(g.pick([None, None, 0, 1, 3]))
    return r.karcher(g.pick([None, 0, 1, 2, 30]), number(g, 1e-6, 0.1) if g.chance(0.4) else None)


def any_strategy(g, single=True):
    if single and g.chance(0.06): return r.lines_strategy(factor(g, -0.5, 1.5), factor(g, 0.0, 1.2) if g.chance(0.7) else None)
    return choosing_strategy(g, single) if g.chance(0.4) else plain_strategy(g)


def choosing_strategy(g, single):
    """Elements are chosen, by variance, size or what others say."""
    maybe = lambda p, make: make() if g.chance(p) else None
    scale = lambda: maybe(0.5, lambda: factor(g, 0.1, 1.5))
    epsilon = lambda: maybe(0.7, lambda: r.number(g.pick([0.0, 0.0, 1e-45, 1e30])) if g.chance(0.3) else number(g, 1e-4, 0.02))
    select = lambda: r.number(g.pick([1e-9, 1 - 2.0**-53, 1.0])) if g.chance(0.1) else number(g, 0.02, 1.0)
    if g.chance(0.2):
        return r.choosing("pcb", scale=scale(), select=maybe(0.7, select),
                          clip=maybe(0.5, lambda: r.number(g.pick([0.0, 0.0, 0.0, 0.4999999])) if g.chance(0.3) else number(g, 0.001, 0.4)))
    method = g.pick(["sce", "sce", "ram", "ram_plus", "consensus", "magmax", *(["arcee_fusion"] * 2 if single else [])])
    if method == "sce": return r.choosing(method, select=maybe(0.8, select))
    if method == "ram": return r.choosing(method, epsilon=epsilon())
    if method == "ram_plus":
        return r.choosing(method, epsilon=epsilon(), r=maybe(0.5, lambda: number(g, 0.0, 1.0)), alpha=maybe(0.5, lambda: number(g, 0.0, 1.0)))
    if method == "consensus":
        at_least = r.Number(str(count := g.between(1, 4)), lambda c: count) if g.chance(0.7) else None
        return r.choosing(method, scale=scale(), **{"lambda": maybe(0.7, lambda: number(g, 0.0, 1.0))}, at_least=at_least)
    return r.choosing(method, **({"scale": scale()} if method == "magmax" else {}))


def plain_strategy(g):
    scale = (number(g, -0.8, -0.1) if g.chance(0.1) else factor(g, 0.1, 1.5)) if g.chance(0.4) else None
    method = g.pick(["sum", "sum", "mean", "ties", "ties", "ties"])
    if method != "ties": return r.strategy(method, scale)
    elect = word(g, ["weighted", "unweighted", "count", "none"]) if g.chance(0.7) else None
    divide = word(g, ["weights", "count", "none"]) if g.chance(0.7) else None
    return r.strategy(method, scale, elect, divide)
