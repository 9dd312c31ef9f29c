"""A recipe as text and meaning side by side: what theta is to compute, in terms of strict.py alone.

Every function below makes a pair of the source text and what it means for one output tensor.  Nothing here imitates
theta's compiler: there is no graph, no lowering, no fusion; a tensor's value is found by calling functions.

Vectors are dense here: an element that a mask dropped is +0.  For sum, mean and ties that is the same as leaving it out.
"""
import math
import re
from dataclasses import dataclass, field, replace
from typing import Callable, NamedTuple

import numpy as np

import counters
import elementary
import rounded
import strict as st

st.slerp_coefficients = elementary.slerp_coefficients
st.karcher_coefficients = elementary.karcher_coefficients
st.exp, st.log, st.tanh = elementary.exponential, elementary.logarithm, elementary.hyperbolic_tangent


@dataclass
class Context:
    """One output tensor."""
    name: str                       # stored name
    names: tuple                    # stored name and the names tied to it
    shape: tuple
    depths: dict                    # layer stack → number of layers
    W: type = np.float32
    dtypes: set = field(default_factory=set)   # of the input tensors that the value was computed from
    finite: object = True                      # where all of them are
    theta: object = None                       # what the vectors of the strategy at hand are laid onto
    rules: object = rounded                    # the arithmetic: rounded as theta does, or exact
    everywhere: Callable = None                # context, vector → {name: its τ} of all tensors; None while W is still to be found
    selected: list = field(default_factory=list)    # what its masks kept
    without: int = None             # the number of the mask that keeps nothing, to see what hangs on it

    def stack(self): return stack_of(self.name)


def stack_of(name):
    """(layer stack, layer) of a name, or None."""
    found = re.match(r"^(.*?)\.(\d+)\.", name)
    return (found[1], int(found[2])) if found else None


class Number(NamedTuple):
    text: str
    at: Callable            # context → float


class Word(NamedTuple):
    """A word of a closed list, or a boolean."""
    text: str
    at: Callable            # context → the word


class Selector(NamedTuple):
    text: str
    of: Callable            # context, name → bool

    def takes(self, c):
        """One that matches any name of a tied tensor matches the tensor."""
        return any(self.of(c, name) for name in c.names)


class Mask(NamedTuple):
    text: str
    use: Callable           # context, τ, stream, the vector τ is of → kept elements, τ rescaled, groups to count them by


class Vector(NamedTuple):
    text: str
    value: Callable         # context → τ in W, or None where the vector lacks the tensor


class Model(NamedTuple):
    text: str
    value: Callable         # context → tensor in W, Rows, or UNCHANGED or None where the checkpoint lacks it
    donor: str              # name of the checkpoint that gives dtypes and config
    exception: str = None   # what its declaration allows: missing base, missing skip, extra skip, resize common …
    layers: dict = None     # of a stack: output tensor → (model, the name that it has there)
    depths: dict = None     # and its layer stacks


class Strategy(NamedTuple):
    text: str
    combine: Callable       # context, [(τ, weight)] → s × a
    averages: bool = False  # whether it divides by the sum of all weights, somewhere
    takes: tuple = ("vectors", 1, None)     # vectors, models or either; how many at least and at most
    weighs: bool = True     # whether its inputs have weights


UNCHANGED = "unchanged"     # `missing base`: the tensor counts as equal to what it is compared with


class Rows(NamedTuple):
    """`resize common`: a tensor with more or fewer rows than the output's; those that it lacks are the other's."""
    x: object


def over(c, value, other): return c.rules.first_rows(value.x, other) if isinstance(value, Rows) else value


def is_tensor(value): return hasattr(value, "shape")


# ------------------------------------------------------------------------------------------------- numbers

def number(x):
    return Number(("-" if x < 0 else "") + repr(abs(x)), lambda c: float(x))


def parameter(name, x):
    return Number(name, lambda c: float(x))


def ramp(points, over=None, outside=None):
    def at(c):
        place, k = c.stack(), len(points) - 1
        if place is None:
            if outside is not None: return outside.at(c)
            return points[0 if re.search("embed|wte|wpe|patch", c.name) else -1].at(c)
        i, last = place[1], c.depths[place[0]] - 1
        if over is not None:
            first, end = layer_range(over, c.depths[place[0]])
            i, last = min(max(i - first, 0), end - 1 - first), end - 1 - first
        if last == 0: return points[0].at(c)
        u = (i * k) / last
        j = min(math.floor(u), k - 1)
        return points[j].at(c) + (points[j + 1].at(c) - points[j].at(c)) * (u - j)
    settings = [p.text for p in points]
    if over is not None: settings.append(f"over: {range_text(over)}")
    if outside is not None: settings.append(f"outside: {outside.text}")
    return Number(f"ramp({', '.join(settings)})", at)


def layer_range(bounds, depth):
    """First layer and end of (A, B): negative numbers count from the end, no B runs to it."""
    count = lambda bound: bound + depth if bound < 0 else bound
    return count(bounds[0]), depth if bounds[1] is None else count(bounds[1])


def range_text(bounds): return f"{bounds[0]}..{'' if bounds[1] is None else bounds[1]}"


def negate(x): return Number(f"-({x.text})", lambda c: -x.at(c))


def arithmetic(left, operator, right):
    apply = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b}[operator]
    return Number(f"({left.text} {operator} {right.text})", lambda c: apply(left.at(c), right.at(c)))


def chosen(arms, otherwise, c):
    """The first arm whose selector takes the tensor."""
    return next((value for selector, value in arms if selector.takes(c)), otherwise)


def match_text(arms, otherwise):
    return "match(" + "".join(f"{s.text}: {v.text}, " for s, v in arms) + f"else: {otherwise.text})"


def match_number(arms, otherwise):
    return Number(match_text(arms, otherwise), lambda c: chosen(arms, otherwise, c).at(c))


def word(text): return Word(text, lambda c: text)


def match_word(arms, otherwise):
    return Word(match_text(arms, otherwise), lambda c: chosen(arms, otherwise, c).at(c))


def word_at(value, c, default=None): return value.at(c) if value else default


# ------------------------------------------------------------------------------------------------- selectors, masks

def matches_glob(pattern, name):
    """`*` crosses dots, `?` is one character, `[0-9]` and `[!0-9]` one of a class, `{a,b}` one of several words."""
    parts = {"*": ".*", "?": ".", "{": "(?:", "}": ")"}
    regex, in_braces = "", False
    for piece in re.findall(r"\[[^\]]*\]|.", pattern):
        in_braces = piece == "{" or (in_braces and piece != "}")
        if len(piece) > 1: regex += piece.replace("[!", "[^")
        elif piece == "," and in_braces: regex += "|"
        else: regex += parts.get(piece, re.escape(piece))
    return re.fullmatch(regex, name, re.DOTALL) is not None


def glob(pattern):
    return Selector(f'"{pattern}"', lambda c, name: matches_glob(pattern, name))


def tensors(patterns):
    text = ", ".join(f'"{p}"' for p in patterns)
    return Selector(f"tensors({text})", lambda c, name: any(matches_glob(p, name) for p in patterns))


def layers(first, end):
    def of(c, name):
        place = stack_of(name)
        if place is None: return False
        begin, stop = layer_range((first, end), c.depths[place[0]])
        return begin <= place[1] < stop
    return Selector(f"layers({range_text((first, end))})", of)


def not_(s): return Selector(f"!{s.text}", lambda c, name: not s.of(c, name))
def and_(a, b): return Selector(f"({a.text} & {b.text})", lambda c, name: a.of(c, name) and b.of(c, name))
def or_(a, b): return Selector(f"({a.text} | {b.text})", lambda c, name: a.of(c, name) or b.of(c, name))


def selector_mask(s):
    groups = lambda c: counters.EVERYTHING if s.takes(c) else counters.NOTHING
    return Mask(s.text, lambda c, tau, stream, vector: (np.full(tau.shape, s.takes(c)), tau, groups(c)))


def mask_method(kind, density, drop_top=None, per=None, at_least_one=None, rescale=None, stream=None, seed=0, epsilon=None,
                of=None):
    """per, at_least_one and rescale: Words, or None for the default; of: a Vector that has every tensor."""
    def use(c, tau, position, vector):
        mask = st.Mask(kind, density.at(c), drop_top.at(c) if drop_top else 0.0, epsilon.at(c) if epsilon else 0.15, seed,
                       word_at(per, c), word_at(rescale, c), word_at(at_least_one, c) == "true")
        # A mask that masks nothing looks at no vector.
        looks = of and len(c.shape) > 0 and (mask.density < 1 or kind == "breadcrumbs")
        source = of.value(c) if looks else tau
        taus, s = {c.name: source}, position if stream is None else stream
        if mask.per == "model":
            if c.everywhere is None: return np.ones(tau.shape, bool), tau, counters.EVERYTHING
            taus = c.everywhere(c, of or vector)
        kept = c.rules.keep(mask, taus, s)[c.name]
        return kept.elements, c.rules.rescale(mask, tau, kept), c.rules.groups_of(mask, tau, kept)
    settings = [f"density: {density.text}"]
    if drop_top: settings.append(f"drop_top: {drop_top.text}")
    if epsilon: settings.append(f"epsilon: {epsilon.text}")
    if kind in ("random", "della"): settings.append(f"seed: {seed}")
    if of: settings.append(f"of: {of.text}")
    if per: settings.append(f"per: {per.text}")
    if at_least_one: settings.append(f"at_least_one: {at_least_one.text}")
    if rescale: settings.append(f"rescale: {rescale.text}")
    if stream is not None: settings.append(f"stream: {stream}")
    return Mask(f"{kind}({', '.join(settings)})", use)


def mask_and(a, b):
    """At most one of the two rescales."""
    def use(c, tau, stream, vector):
        (kept_a, tau_a, groups_a), (kept_b, tau_b, groups_b) = a.use(c, tau, stream, vector), b.use(c, tau, stream, vector)
        return kept_a & kept_b, tau_b if tau_a is tau else tau_a, counters.joined(groups_a, groups_b, counters.EVERYTHING)
    return Mask(f"({a.text} & {b.text})", use)


def mask_or(a, b):
    """Neither rescales."""
    def use(c, tau, stream, vector):
        (kept_a, _, groups_a), (kept_b, _, groups_b) = a.use(c, tau, stream, vector), b.use(c, tau, stream, vector)
        return kept_a | kept_b, tau, counters.joined(groups_a, groups_b, counters.NOTHING)
    return Mask(f"({a.text} | {b.text})", use)


def mask_not(a):
    def use(c, tau, stream, vector):
        kept, _, groups = a.use(c, tau, stream, vector)
        return ~kept, tau, counters.opposite(groups)
    return Mask(f"!{a.text}", use)


def match_mask(arms, otherwise):
    return Mask(match_text(arms, otherwise), lambda c, tau, s, v: chosen(arms, otherwise, c).use(c, tau, s, v))


def named(thing, name):
    """The same thing under a declared name."""
    return thing._replace(text=name)


# ------------------------------------------------------------------------------------------------- models and vectors

def checkpoint(name, stored, exception=None, nan="propagate", tied={}):
    """tied: names that it has by convention alone → the stored name."""
    def value(c):
        found = c.name if c.name in stored else tied.get(c.name)
        if found not in stored: return UNCHANGED if exception == "missing base" else None
        tensor = stored[found]
        c.dtypes.add(tensor.dtype)
        x = c.rules.read(tensor, c.W, nan)
        if x.shape != c.shape:
            c.finite = c.finite & rounded.first_rows(c.rules.finite(x), np.ones(c.shape, bool))
            return Rows(x)
        c.finite = c.finite & c.rules.finite(x)
        return x
    return Model(name, value, name, exception)


def stored_vector(name, stored):
    """A vector that an output wrote; what it lacks takes no part."""
    def value(c):
        if c.name not in stored: return None
        c.dtypes.add(stored[c.name].dtype)
        x = c.rules.widen(stored[c.name], c.W)
        c.finite = c.finite & c.rules.finite(x)
        return x
    return Vector(name, value)


def difference(model, base):
    def value(c):
        x, theta = model.value(c), base.value(c)
        if x is None or not is_tensor(theta): return None
        x = over(c, x, theta)
        return x - theta if is_tensor(x) else c.rules.nothing_like(theta)
    return Vector(f"({model.text} - {base.text})", value)


def adapter(name, modules, scaling, transposed):
    """modules: {module: (A, B)}; scaling: {module: float64}."""
    def value(c):
        module = next((m for m in (name.removesuffix(".weight") for name in c.names) if m in modules), None)
        if module is None: return None
        pair = modules[module]
        c.dtypes |= {t.dtype for t in pair}
        return c.rules.lora_product(*(c.rules.widen(t, c.W) for t in pair), scaling[module], transposed)
    return Vector(name, value)


def masked(vector, mask, stream=0):
    def value(c):
        tau = vector.value(c)
        if tau is None: return None
        kept, rescaled, groups = mask.use(c, tau, stream, vector)
        if c.without == len(c.selected): kept = np.zeros_like(kept)
        c.selected.append(c.rules.selected(kept, groups))
        return c.rules.select(kept, rescaled)
    return Vector(f"(({vector.text}) & {mask.text})", value)


def lift(text, apply, vector):
    def value(c):
        tau = vector.value(c)
        return None if tau is None else apply(c, tau)
    return Vector(text, value)


def times(factor, v): return lift(f"{factor.text} * ({v.text})", lambda c, t: c.rules.scaled(factor.at(c), t), v)
def divided(v, divisor): return lift(f"({v.text}) / {divisor.text}", lambda c, t: c.rules.divided(t, divisor.at(c)), v)
def minus(v): return lift(f"-({v.text})", lambda c, t: -t, v)
def times_behind(v, factor): return times(factor, v)._replace(text=f"({v.text}) * {factor.text}")
def lines(v, beta, alpha=None, like=None):
    """LiNeS: the factor rises from alpha by beta over the layers; with `like` alpha is times the ratio of both vectors' sizes."""
    size = lambda c, vector: sum((c.rules.size_of(tau) for _, tau in
                                  sorted(c.everywhere(c, vector).items(), key=lambda item: item[0].encode())), np.float64(0))
    def value(c):
        tau = v.value(c)
        if tau is None: return None
        first, rise = alpha.at(c) if alpha else 1.0, rise_at(c, beta)
        if like and first != 0:
            if c.everywhere is None: return tau
            own, other = size(c, v), size(c, like)
            first = first * (float(other / own) if own != 0 and other != 0 and np.isfinite(other / own) else 1.0)
        return c.rules.scaled(first + rise, tau)
    settings = [v.text, f"beta: {beta.text}"] + ([f"alpha: {alpha.text}"] if alpha else []) + ([f"like: {like.text}"] if like else [])
    return Vector(f"lines({', '.join(settings)})", value)


def rise_at(c, beta):
    place = c.stack()
    last = c.depths[place[0]] - 1 if place else 0
    return 0.0 + (beta.at(c) - 0.0) * (place[1] / last) if last > 0 else 0.0


def rebase(v, model): return Vector(f"rebase({v.text}, {model.text})", v.value)


def add(a, operator, b):
    """Where one lacks the tensor it takes no part."""
    def value(c):
        x, y = a.value(c), b.value(c)
        if y is None: return x
        if x is None: return y if operator == "+" else -y
        return x + y if operator == "+" else x - y
    return Vector(f"({a.text}) {operator} ({b.text})", value)


def onto(model, operator, vector):
    def value(c):
        theta, tau = model.value(c), vector.value(c)
        if tau is None or not is_tensor(theta): return theta
        return c.rules.onto(theta, tau if operator == "+" else -tau)
    return Model(f"({model.text} {operator} ({vector.text}))", value, model.donor)


def scale(model, by):
    def value(c):
        x = model.value(c)
        return c.rules.scaled(by.at(c), x) if is_tensor(x) else x
    return model._replace(text=f"scale({model.text}, by: {by.text})", value=value)


class Slice(NamedTuple):
    text: str
    model: Model
    layers: range


def slice_(model, bounds, depth):
    first, end = layer_range(bounds, depth)
    return Slice(f"slice({model.text}, {range_text(bounds)})", model, range(first, end))


def whole(model, depth): return Slice(model.text, model, range(depth))


def stack(slices, prefix, names, depths, stated):
    """Layers of the models' stack `prefix`, renumbered; names: what each of the models has, of which some may be stacks; stated:
    whether the text says which."""
    under = lambda model, name: model.layers[name] if model.layers else (model, name)
    first, last, layers = slices[0].model, slices[-1].model, {}
    towers = {other.split(".")[0] for other in depths if other != prefix}
    for name in names:
        place = stack_of(name)
        if place and place[0] == prefix: continue
        before = re.search("embed|wte|wpe|patch", name) or towers and ("projector" in name or name.split(".")[0] in towers)
        layers[name] = under(first if before else last, name)
    number = 0
    for part in slices:
        for layer in part.layers:
            begin = f"{prefix}.{layer}."
            layers |= {f"{prefix}.{number}.{name[len(begin):]}": under(part.model, name)
                       for name in part.model.layers or names if name.startswith(begin)}
            number += 1

    def value(c):
        model, name = layers[c.name]
        inner = replace(c, name=name, names=(name,), depths=depths)
        x = model.value(inner)
        c.finite = inner.finite
        return x
    settings = f', stack: "{prefix}"' if stated else ""
    return Model(f"stack({', '.join(s.text for s in slices)}{settings})", value, first.donor, layers=layers,
                 depths={**depths, prefix: number})


def match_vector(arms, otherwise):
    return Vector(match_text(arms, otherwise), lambda c: chosen(arms, otherwise, c).value(c))


def match_model(arms, otherwise):
    return Model(match_text(arms, otherwise), lambda c: chosen(arms, otherwise, c).value(c), otherwise.donor)


# ------------------------------------------------------------------------------------------------- strategies

def strategy(method, scale=None, elect=None, divide=None):
    def combine(c, pairs):
        s = scale.at(c) if scale else 1.0
        vectors = c.rules.vectors(pairs)
        if method == "sum": return c.rules.sum_(vectors, s)
        if method == "mean": return c.rules.mean(vectors, s)
        return c.rules.ties(vectors, s, word_at(elect, c, "weighted"), word_at(divide, c, "weights"))
    settings = [f"{key}: {value.text}" for key, value in (("scale", scale), ("elect", elect), ("divide", divide)) if value]
    return Strategy(method + (f"({', '.join(settings)})" if settings else ""), combine, method == "mean")


def settings_text(**settings):
    stated = [f"{key}: {value.text if hasattr(value, 'text') else value}" for key, value in settings.items() if value is not None]
    return f"({', '.join(stated)})" if stated else ""


def model_stock(per=None):
    combine = lambda c, pairs: c.rules.model_stock(c.rules.vectors(pairs), word_at(per, c, "tensor"))
    return Strategy("model_stock" + settings_text(per=per), combine, takes=("vectors", 1, None), weighs=False)


def nearswap(t):
    combine = lambda c, pairs: c.rules.nearswap(c.rules.vectors(pairs), t.at(c))
    return Strategy("nearswap" + settings_text(t=t), combine, takes=("vectors", 1, 1), weighs=False)


def lines_strategy(beta, alpha=None):
    """`lines` as a strategy, of one vector."""
    combine = lambda c, pairs: c.rules.scaled((alpha.at(c) if alpha else 1.0) + rise_at(c, beta), pairs[0][0])
    return Strategy("lines" + settings_text(alpha=alpha, beta=beta), combine, takes=("vectors", 1, 1), weighs=False)


def nuslerp(per=None):
    def merge(c, members):
        if len(members) == 1: return members[0][0]
        (a, weight_a), (b, weight_b) = members
        return c.rules.nuslerp(a, b, weight_a, weight_b, word_at(per, c, "tensor"))
    return Strategy("nuslerp" + settings_text(per=per), over_members(merge), True, takes=("either", 2, 2))


def karcher(max_iter=None, tol=None):
    """Over models; multislerp is its first step, over vectors too."""
    combine = barycentre(10 if max_iter is None else max_iter, lambda c: tol.at(c) if tol else 1e-5)
    return Strategy("karcher" + settings_text(max_iter=max_iter, tol=tol), combine, True, takes=("models", 1, None))


def multislerp(max_iter=None):
    combine = barycentre(1 if max_iter is None else max_iter, lambda c: 1e-5)
    return Strategy("multislerp" + settings_text(max_iter=max_iter), combine, True, takes=("either", 1, None))


def barycentre(max_iter, tol):
    def merge(c, members):
        return c.rules.karcher([x for x, _ in members], [w for _, w in members], max_iter, tol(c))
    return over_members(merge)


def over_members(merge):
    """A method that is the same on models and on vectors, of which those that take part are handed over already."""
    def combine(c, pairs):
        members = present(c, pairs)
        return merge(c, members) if isinstance(members, list) else members
    return combine


def choosing(method, **parameters):
    """The strategies that choose elements; parameters that are left out have the defaults of strict.py."""
    def combine(c, pairs):
        given = {key: value.at(c) for key, value in parameters.items() if value}
        vectors = c.rules.vectors(pairs)
        if method == "sce": return c.rules.sce(vectors, c.name, **given)
        if method == "consensus" and "lambda" in given: given["lambda_"] = given.pop("lambda")
        if method == "arcee_fusion": return c.rules.arcee_fusion(vectors, c.theta)
        return {"ram": c.rules.ram, "ram_plus": c.rules.ram_plus, "consensus": c.rules.consensus,
                "magmax": c.rules.magmax, "pcb": c.rules.pcb}[method](vectors, **given)
    return Strategy(method + settings_text(**parameters), combine, weighs=method in ("consensus", "pcb"),
                    takes=("vectors", 1, 1 if method == "arcee_fusion" else None))


def match_strategy(arms, otherwise):
    return Strategy(match_text(arms, otherwise), lambda c, pairs: chosen(arms, otherwise, c).combine(c, pairs),
                    any(s.averages for s in (otherwise, *(value for _, value in arms))),
                    weighs=all(s.weighs for s in (otherwise, *(value for _, value in arms))))


def call(method, vectors, weights=None, base=None):
    """The expression form of a strategy on vectors, which are taken from `base`.

    weights: one for each vector, or one Number for all.
    """
    ws = weights if isinstance(weights, list) else [weights or number(1.0)] * len(vectors)
    def value(c):
        pairs = [(tau, w.at(c)) for tau, w in ((v.value(c), w) for v, w in zip(vectors, ws)) if tau is not None]
        if base: c.theta = base.value(c)
        return method.combine(c, pairs) if pairs else None
    name, _, settings = method.text.partition("(")
    parts = [v.text for v in vectors]
    if weights: parts.append("weight: " + (f"[{', '.join(w.text for w in ws)}]" if isinstance(weights, list) else weights.text))
    if settings: parts.append(settings.removesuffix(")"))
    return Vector(f"{name}({', '.join(parts)})", value)


def called_with_models(method, models, weights=None):
    """The same on models; weights: one for each."""
    ws = weights or [number(1.0)] * len(models)
    name, _, settings = method.text.partition("(")
    parts = [m.text for m in models]
    if weights: parts.append(f"weight: [{', '.join(w.text for w in ws)}]")
    if settings: parts.append(settings.removesuffix(")"))
    return Model(f"{name}({', '.join(parts)})",
                 lambda c: method.combine(c, [(m.value(c), w.at(c)) for m, w in zip(models, ws)]), models[0].donor)


def present(c, pairs):
    """Members that take part, (tensor, weight); what counts as unchanged equals the first that has the tensor.

    UNCHANGED or None when no member has it.
    """
    first = next((x for x, _ in pairs if is_tensor(x)), None)
    if first is None: return UNCHANGED if any(x is not None for x, _ in pairs) else None
    return [(over(c, x, first) if isinstance(x, Rows) or is_tensor(x) else first, w) for x, w in pairs if x is not None]


def linear(models, weights=None, normalize=None, text=None):
    """weights: one for each model, or one Number for all; normalize: a Word; text: what stands for the models."""
    ws = weights if isinstance(weights, list) else [weights or number(1.0)] * len(models)
    parts = [text or ", ".join(m.text for m in models)]
    if weights: parts.append("weight: " + (f"[{', '.join(w.text for w in ws)}]" if isinstance(weights, list) else weights.text))
    if normalize: parts.append(f"normalize: {normalize.text}")
    return Model(f"linear({', '.join(parts)})",
                 lambda c: linear_strategy(normalize).combine(c, [(m.value(c), w.at(c)) for m, w in zip(models, ws)]),
                 models[0].donor)


def slerp(a, b, t):
    return Model(f"slerp({a.text}, {b.text}, t: {t.text})", lambda c: slerp_strategy(t).combine(c, [(a.value(c), 1.0), (b.value(c), 1.0)]), a.donor)


# ------------------------------------------------------------------------------------------------- the merge block

@dataclass
class Clauses:
    weight: Number = None
    mask: Mask = None
    tall: bool = False      # one a line, in braces

    def text(self):
        stated = [f"{key} {value.text}" for key, value in (("weight", self.weight), ("mask", self.mask)) if value]
        if self.tall and stated: return " {\n    " + "\n    ".join(stated) + "\n  }"
        return "".join(f"  {clause}" for clause in stated)


@dataclass
class Line:
    text: str
    members: list           # vectors or models; a list's members stand singly
    clauses: Clauses


@dataclass
class At:
    selectors: list         # joined with |
    keep: Model = None
    clauses: dict = field(default_factory=dict)     # number of the line → Clauses

    def takes(self, c): return any(selector.takes(c) for selector in self.selectors)

    def text(self, lines):
        head = f"  at {', '.join(selector.text for selector in self.selectors)}"
        if self.keep: return f"{head}  keep {self.keep.text}\n"
        body = "".join(f"    {lines[i].text}{clauses.text()}\n" for i, clauses in self.clauses.items())
        return f"{head} {{\n{body}  }}\n"


@dataclass
class Block:
    """`merge name [onto base] using strategy { … }`; without a base the entries are models."""
    name: str
    base: Model
    method: Strategy
    lines: list
    each: Clauses = field(default_factory=Clauses)
    ats: list = field(default_factory=list)
    each_last: bool = False
    ats_first: bool = False
    differences: dict = field(default_factory=dict)     # one for each entry, however often it is asked for

    def text(self):
        head = f"merge {self.name}" + (f" onto {self.base.text}" if self.base else "")
        each = [f"  each{self.each.text()}\n"] if self.each.text() else []
        lines, ats = [f"  {line.text}{line.clauses.text()}\n" for line in self.lines], [at.text(self.lines) for at in self.ats]
        items = ats + lines if self.ats_first else lines + ats
        return f"{head} using {self.method.text} {{\n{''.join(items + each if self.each_last else each + items)}}}\n"

    def clause(self, c, number_of_line, key):
        """From the first `at` that matches and states it, else from the line, else from `each`."""
        for at in self.ats:
            if at.keep is None and at.takes(c) and number_of_line in at.clauses:
                stated = getattr(at.clauses[number_of_line], key)
                if stated is not None: return stated
        return getattr(self.lines[number_of_line].clauses, key) or getattr(self.each, key)

    def value(self, c):
        for at in self.ats:
            if at.keep and at.takes(c): return at.keep.value(c)
        pairs, position = [], 0
        for i, line in enumerate(self.lines):
            weight, mask = self.clause(c, i, "weight") or number(1.0), self.clause(c, i, "mask")
            for member in line.members:
                value = member
                if self.base and isinstance(member, Model):
                    value = self.differences.setdefault(position, difference(member, self.base))
                if mask: value = masked(value, mask, position)
                pairs.append((value.value(c), weight.at(c)))
                position += 1
        if not self.base: return self.method.combine(c, pairs)
        theta, taking_part = self.base.value(c), [(tau, w) for tau, w in pairs if tau is not None]
        c.theta = theta
        return c.rules.onto(theta, self.method.combine(c, taking_part)) if taking_part else theta

    def model(self):
        donor = self.base.donor if self.base else self.lines[0].members[0].donor
        return Model(self.name, self.value, donor)


def linear_strategy(normalize=None):
    """`using linear` over models; it divides by the sum of the weights."""
    def combine(c, pairs):
        members = present(c, pairs)
        if not isinstance(members, list): return members
        return c.rules.linear([x for x, _ in members], [w for _, w in members], word_at(normalize, c, "true") == "true")
    return Strategy("linear" + (f"(normalize: {normalize.text})" if normalize else ""), combine, True)


def slerp_strategy(t):
    """`using slerp` over two models."""
    def combine(c, pairs):
        members = present(c, [(x, 0.0) for x, _ in pairs])
        if not isinstance(members, list): return members
        return members[0][0] if len(members) == 1 else c.rules.slerp(members[0][0], members[1][0], t.at(c))
    return Strategy(f"slerp(t: {t.text})", combine)
