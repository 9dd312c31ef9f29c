"""The same rules as rounded.py, from the textbook: real numbers with a bound on what rounding in W may do to them.

`x` is a long double, `e` bounds |value in W − x|: each operation of W adds u·|result| (u half an ulp of 1) to what its
operands bring, so a merge of k vectors stays within methods.md's (k + 9)·u·(|θ| + |s|·Σ|wᵢτᵢ| ÷ |divisor|).  Where a method
elects or selects, an element whose decision value lies within its bound of the threshold is `unsure`.
"""
from dataclasses import dataclass

import numpy as np

import strict as st
from common import philox_u32, prob_threshold, stream_id
from strict import Mask  # noqa: F401: a rule of a recipe

L = np.longdouble
SECOND_ORDER = L(1 + 2.0**-10)      # products of bounds, which the sums below leave out


@dataclass
class Real:
    x: np.ndarray
    e: np.ndarray
    unsure: np.ndarray
    W: type

    __array_ufunc__ = None          # so that `array & Kept` and the like come to our operators

    @property
    def shape(self): return self.x.shape
    @property
    def T(self): return Real(self.x.T, self.e.T, self.unsure.T, self.W)
    def __len__(self): return len(self.x)

    def made(self, x, e, unsure=False, roundings=1):
        """A result that W rounds so many times."""
        u, tiny = (L(2.0)**-53, L(2.0)**-1074) if self.W is np.float64 else (L(2.0)**-24, L(2.0)**-149)
        return Real(x, (e + roundings * (u * np.abs(x) + tiny)) * SECOND_ORDER, self.unsure | unsure, self.W)

    def __add__(self, other): return self.made(self.x + other.x, self.e + other.e, other.unsure)
    def __sub__(self, other): return self.made(self.x - other.x, self.e + other.e, other.unsure)
    def __neg__(self): return Real(-self.x, self.e, self.unsure, self.W)


@dataclass
class Chosen:
    """What a mask keeps."""
    elements: np.ndarray
    unsure: np.ndarray

    __array_ufunc__ = None

    def __and__(self, other): return self.joined(other, np.logical_and)
    def __or__(self, other): return self.joined(other, np.logical_or)
    __rand__, __ror__ = __and__, __or__
    def __invert__(self): return Chosen(~self.elements, self.unsure)

    def joined(self, other, how):
        elements, unsure = (other.elements, other.unsure) if isinstance(other, Chosen) else (other, False)
        return Chosen(how(self.elements, elements), self.unsure | unsure)


def exactly(x, W): return Real(np.asarray(x, L), np.zeros(np.shape(x), L), np.zeros(np.shape(x), bool), W)


def read(tensor, W, nan):
    x = st.widen(tensor, np.float64)
    return exactly(np.where(np.isfinite(x), x, 0) if nan == "zero" else x, W)


def widen(tensor, W): return exactly(st.widen(tensor, np.float64), W)
def finite(value): return np.isfinite(value.x)
def nothing_like(value): return exactly(np.zeros(value.shape), value.W)
def onto(theta, y): return theta + y
def scaled(factor, v): return v.made(L(factor) * v.x, abs(L(factor)) * v.e, roundings=2)
def divided(v, by): return v.made(v.x / L(by), v.e / abs(L(by)), roundings=2)
def vectors(pairs): return pairs


def select(kept, tau):
    elements, unsure = (kept.elements, kept.unsure) if isinstance(kept, Chosen) else (kept, False)
    return Real(np.where(elements, tau.x, L(0)), np.where(elements, tau.e, L(0)), tau.unsure | unsure, tau.W)


def first_rows(rows, other):
    common = min(len(rows), len(other))
    join = lambda a, b: np.concatenate([a[:common], b[common:]])
    return Real(join(rows.x, other.x), join(rows.e, other.e), join(rows.unsure, other.unsure), rows.W)


# ------------------------------------------------------------------------------------------------- masks

@dataclass
class Kept:
    elements: Chosen
    p: object = None        # della: the probability that each element is kept with
    slack: object = 0.0     # and how far it may be off


def keep(mask, taus, stream):
    """The largest (breadcrumbs: but the very largest) of each group; which of equal ones is not said here."""
    if mask.kind in ("random", "della"): return {name: drawn(mask, tau, name, stream) for name, tau in taus.items()}
    return {name: Kept(chosen(mask, tau)) for name, tau in taus.items()}


def drawn(mask, tau, name, stream):
    """Whose word lies below a threshold. Which rank an element has is not sure where others are as large, nearly."""
    shape, n = tau.shape, int(np.prod(tau.shape, dtype=np.int64))
    every = Chosen(np.ones(shape, bool), np.zeros(shape, bool))
    if tau.x.ndim == 0 or mask.density >= 1: return Kept(every)
    word = philox_u32(mask.seed, stream_id(mask.kind, stream, name), 0, n).astype(np.uint64).reshape(shape)
    groups, g = st.grouped(shape, mask.per or st.DEFAULT_PER[mask.kind])
    if mask.kind == "random" or g < 2:
        T = prob_threshold(mask.density)
        return Kept(Chosen(word < np.uint64(T), np.zeros(shape, bool)), np.full(shape, L(T) / L(2.0)**32))
    size, error = np.abs(tau.x).reshape(groups, g), tau.e.reshape(groups, g)
    lowest, highest = np.empty((groups, g), np.int64), np.empty((groups, g), np.int64)
    for row in range(groups):
        ascending, near = np.sort(size[row]), error[row] + error[row].max()
        moved = int(tau.unsure.reshape(groups, g)[row].sum())
        lowest[row] = np.maximum(np.searchsorted(ascending, size[row] - near, "left") - moved, 0)
        highest[row] = np.minimum(np.searchsorted(ascending, size[row] + near, "right") - 1 + moved, g - 1)
    low, high = prob_threshold(mask.density - mask.epsilon), prob_threshold(mask.density + mask.epsilon)
    T = [(low + (high - low) * rank // (g - 1)).astype(np.uint64).reshape(shape) for rank in (lowest, highest)]
    # 0 stays 0 whether it is kept or not.
    unsure = (word >= T[0]) & (word < T[1]) & (np.abs(tau.x) + tau.e > 0)
    p = (T[1].astype(L)) / L(2.0)**32
    return Kept(Chosen(word < T[1], unsure), p, (T[1] - T[0]).astype(L) / L(2.0)**32)


def chosen(mask, tau):
    every = Chosen(np.ones(tau.shape, bool), np.zeros(tau.shape, bool))
    if tau.x.ndim == 0 or tau.x.size == 0 or (mask.kind == "magnitude" and mask.density >= 1): return every
    groups, g = st.grouped(tau.shape, mask.per or st.DEFAULT_PER[mask.kind])
    size, error = np.abs(tau.x).reshape(groups, g), tau.e.reshape(groups, g)
    top = int(float(g) * mask.drop_top) if mask.kind == "breadcrumbs" else 0
    count = int(float(g) * min(mask.density, 1.0))
    count = min(max(count, 1) if mask.at_least_one else count, g - top)
    order = np.argsort(-size, axis=-1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(g), order.shape), -1)
    descending = np.take_along_axis(size, order, -1)
    # An undecided input may be anywhere in the order, and move every other by one.
    unsure, slack = tau.unsure.reshape(groups, g), error + error.max(-1, keepdims=True)
    moved = unsure.sum(-1, keepdims=True)
    at = lambda i: np.take_along_axis(descending, np.clip(i, 0, g - 1), -1)
    for cut in {top, top + count} if count else ():
        if not 0 < cut < g: continue
        surely_above = (cut - moved >= 0) & (size - slack > at(cut - moved))
        surely_below = (cut - 1 + moved < g) & (size + slack < at(cut - 1 + moved))
        unsure = unsure | ~np.where(place < cut, surely_above, surely_below)
    elements = (place >= top) & (place < top + count)
    unsure = unsure & (size + error > 0)        # 0 stays 0 whether it is kept or not
    return Chosen(elements.reshape(tau.shape), unsure.reshape(tau.shape))


def rescale(mask, tau, kept):
    how = mask.rescale or st.DEFAULT_RESCALE[mask.kind]
    if how == "none" or tau.x.ndim == 0 or mask.density >= 1: return tau
    if how == "inv" and mask.kind == "della":
        p, least = np.where(kept.p > 0, kept.p, 1), np.maximum(kept.p - kept.slack, L(2.0)**-32)
        return tau.made(tau.x / p, (tau.e + np.abs(tau.x) * (kept.slack / least)) / least, roundings=2)
    if how == "inv": return divided(tau, mask.density)
    size, stays = np.abs(tau.x), np.where(kept.elements.elements, np.abs(tau.x), 0)
    before, after = size.sum(), stays.sum()
    if before == 0 or after == 0: return tau.made(tau.x, tau.e, kept.elements.unsure.any() and before != 0)
    if tau.unsure.any(): return tau.made(tau.x, tau.e, True)
    loose = tau.e.sum() + size[kept.elements.unsure].sum()
    factor = before / after
    relative = tau.e.sum() / before + loose / max(after - loose, L(0)) if after > loose else L(np.inf)
    return tau.made(tau.x * factor, np.where(tau.x == 0, 0, (tau.e + size * relative) * factor), roundings=2)


# ------------------------------------------------------------------------------------------------- strategies

def total(terms):
    result = terms[0]
    for term in terms[1:]: result = result + term
    return result


def sum_(pairs, s): return scaled(s, total([scaled(w, tau) for tau, w in pairs]))
def mean(pairs, s): return scaled(s, divided(total([scaled(w, tau) for tau, w in pairs]), sum(w for _, w in pairs)))


def ties(pairs, s, elect, divide):
    W, shape = pairs[0][0].W, pairs[0][0].shape
    votes = [tau if elect == "unweighted" else scaled(w, tau) for tau, w in pairs]
    doubtful = [(vote.e > 0) & (np.abs(vote.x) <= vote.e) for vote in votes]
    if elect == "none":
        a, doubt = None, False
    elif elect == "count":
        a, doubt = sum(np.sign(vote.x) for vote in votes), np.logical_or.reduce(doubtful)
    else:
        poll = total(votes)
        a, doubt = poll.x, (poll.e > 0) & (np.abs(poll.x) <= poll.e) & np.logical_or.reduce([v.x != 0 for v in votes])
    agrees = lambda vote: vote.x != 0 if a is None else np.where(a >= 0, vote.x > 0, vote.x < 0)
    stays = [Chosen(agrees(vote), doubt | d) for vote, d in zip(votes, doubtful)]
    merged = total([select(kept, scaled(w, tau)) for (tau, w), kept in zip(pairs, stays)])
    D = np.ones(shape, L)
    if divide == "count": D = np.maximum(sum(kept.elements.astype(int) for kept in stays), 1).astype(L)
    if divide == "weights":
        sums, sizes = (sum(np.where(kept.elements, f(L(w)), 0) for (_, w), kept in zip(pairs, stays)) for f in (lambda w: w, abs))
        smallest = 2.0**-149 if W is np.float32 else 0
        D = np.where((np.abs(sums) <= 2.0**-40 * sizes) | (np.abs(sums) < smallest), 1, sums)
    return scaled(s, merged.made(merged.x / D, merged.e / np.abs(D), roundings=2))


def nearswap(pairs, t):
    ((tau, _),) = pairs
    return tau.made(np.clip(tau.x, -L(t), L(t)), tau.e, roundings=3)


def model_stock(pairs, per):
    taus, k = [tau for tau, _ in pairs], len(pairs)
    average = divided(total(taus), k)
    if k == 1: return average
    shape = st.grouped(average.shape, per)
    sizes = [np.sqrt((tau.x.reshape(shape)**2).sum(-1)) for tau in taus]
    loose = [np.sqrt((tau.e.reshape(shape)**2).sum(-1)) for tau in taus]
    unsure = np.logical_or.reduce([tau.unsure.reshape(shape).any(-1) for tau in taus])
    c, c_loose, pairs = np.zeros(shape[0], L), np.zeros(shape[0], L), k * (k - 1) // 2
    for i in range(k):
        for j in range(i + 1, k):
            p, dot = sizes[i] * sizes[j], (taus[i].x * taus[j].x).reshape(shape).sum(-1)
            c = c + np.where(p == 0, 0, np.clip(dot / p, -1, 1)) / pairs
            off = sum(np.where(loose[n] == 0, 0, loose[n] / sizes[n]) for n in (i, j))
            c_loose = c_loose + np.where(p == 0, 0, 3e-13 + off) / pairs
            unsure = unsure | (p == 0) & ((loose[i] > 0) | (loose[j] > 0))
    d = 1 + (k - 1) * c
    unsure = unsure | (np.abs(d) <= 2 * k * c_loose + 1e-12)
    t = np.where(d <= 0, 0, np.clip(k * c / d, 0, 1))[:, None]
    t_loose = (4 * k * c_loose / d**2)[:, None]
    mean, spread = average.x.reshape(shape), average.e.reshape(shape)
    e = (t * spread + t_loose * np.abs(mean)).reshape(average.shape)
    return average.made((t * mean).reshape(average.shape), e, np.broadcast_to(unsure[:, None], shape).reshape(average.shape), 2)


# ------------------------------------------------------------------------------------------------- models

def linear(xs, weights, normalize=True):
    plain = total([scaled(w, x) for x, w in zip(xs, weights)])
    if not normalize: return plain
    if len(xs) == 1: return xs[0]
    bound = xs[0] + divided(total([scaled(w, x - xs[0]) for x, w in zip(xs[1:], weights[1:])]), sum(weights))
    return Real(plain.x / sum(L(w) for w in weights), bound.e, bound.unsure, bound.W)


def slerp(a, b, t):
    if t in (0, 1): return b if t else a
    interpolated = a + scaled(t, b - a)
    norm_a, norm_b = (np.sqrt((v.x * v.x).sum()) for v in (a, b))
    if norm_a * norm_b == 0: return interpolated
    cosine = min(max((a.x * b.x).sum() / (norm_a * norm_b), L(-1)), L(1))
    loose = 3e-13 + np.sqrt((a.e * a.e).sum()) / norm_a + np.sqrt((b.e * b.e).sum()) / norm_b
    undecided = abs(abs(cosine) - 0.9995) <= loose or a.unsure.any() or b.unsure.any()
    if abs(cosine) > 0.9995: return interpolated.made(interpolated.x, interpolated.e, undecided)
    angle = np.arccos(cosine)
    from_a, from_b = np.sin((1 - L(t)) * angle) / np.sin(angle), np.sin(L(t) * angle) / np.sin(angle)
    bends = loose / np.sin(angle)**2 * (np.abs(a.x) + np.abs(b.x))
    turned = scaled(from_a, a) + scaled(from_b, b)
    return turned.made(turned.x, turned.e + bends, undecided)


def nuslerp(a, b, weight_a, weight_b, per):
    t, (groups, g) = L(weight_b) / (L(weight_a) + L(weight_b)), st.grouped(a.shape, per)
    row = lambda v, r: Real(v.x.reshape(groups, g)[r], v.e.reshape(groups, g)[r], v.unsure.reshape(groups, g)[r], v.W)
    rows = [slerp(row(a, r), row(b, r), t) for r in range(groups)]
    if not rows: return a
    join = lambda parts: np.concatenate([np.broadcast_to(part, g) for part in parts]).reshape(a.shape)
    return Real(join([v.x for v in rows]), join([v.e for v in rows]), join([v.unsure for v in rows]), a.W)


def karcher(xs, weights, max_iter, tol):
    """The coefficients follow from angles alone, which are as sure as `loose`; where a step is left out, or is the last,
    by an angle about as large as `tol`, the tensor is unsure.  Steps towards what is nearly opposite spread the error."""
    k, flat = len(xs), [x.x.reshape(-1) for x in xs]
    norm = [np.sqrt((x * x).sum()) for x in flat]
    spread = [np.sqrt((x.e * x.e).sum()) for x in xs]
    present = [i for i in range(k) if norm[i] != 0]
    unsure = any(x.unsure.any() for x in xs) or any(norm[i] == 0 and spread[i] > 0 for i in range(k))
    if not present: return scaled(0.0, xs[0]).made(np.zeros(xs[0].shape, L), np.zeros(xs[0].shape, L), unsure)
    loose = 3e-13 + 2 * max(spread[i] / norm[i] for i in present)
    near = lambda angle: abs(angle - tol) <= 0.01 * tol + 4 * loose / max(tol, 1e-9)
    share = np.zeros(k, L)
    for i in present: share[i] = L(weights[i]) / sum(L(weights[j]) for j in present)
    cos = np.array([[L(1) if i == j else (flat[i] * flat[j]).sum() / (norm[i] * norm[j]) if norm[i] * norm[j] else L(0)
                     for j in range(k)] for i in range(k)])
    length = lambda v: np.sqrt(max(v @ cos @ v, L(0)))
    start, swing = length(share), L(1)
    unsure |= near(start)
    u = share / start
    swing = max(swing, 1 / start if start > 0 else L(1))
    if start < tol: u = np.array([L(i == present[0]) for i in range(k)])
    for _ in range(max_iter):
        step = np.zeros(k, L)
        for i in present:
            d = min(max(u @ cos[i], L(-1)), L(1))
            angle = np.arccos(d)
            unsure |= near(angle) or near(L(np.pi) - angle)
            if angle < tol or L(np.pi) - angle < tol: continue
            if d < 0: swing = max(swing, (1 - d * d)**-1.5)
            factor = share[i] * angle / np.sin(angle)
            step = step - factor * d * u
            step[i] = step[i] + factor
        n = length(step)
        unsure |= near(n)
        if n < tol: break
        u = np.cos(n) * u + np.sin(n) / n * step
        u = u / length(u)
    radius = sum(L(w) * n for w, n in zip(weights, norm)) / sum(L(w) for w in weights)
    c = [radius * u[i] / norm[i] if norm[i] else L(0) for i in range(k)]
    bend = 100 * k * loose * swing * max(abs(u).max(), 1) * abs(radius)
    merged = total([scaled(w, x) for x, w in zip(xs, c)])
    bends = sum(bend / norm[i] * np.abs(xs[i].x) for i in present)
    return merged.made(merged.x, merged.e + bends, unsure or not np.isfinite(bend))


def lora_product(a, b, scaling, transposed):
    rank, u = a.shape[0], (L(2.0)**-53 if a.W is np.float64 else L(2.0)**-24)
    x, size = b.x @ a.x, np.abs(b.x) @ np.abs(a.x)
    e = (rank + 2) * (u * size + (L(2.0)**-1074 if a.W is np.float64 else L(2.0)**-149))
    tau = scaled(scaling, exactly(x, a.W).made(x, e))
    return tau.T if transposed else tau


# ------------------------------------------------------------------------------------------------- the judgement

def judge(tensor, value):
    """A stored tensor against its exact value: → elements checked, elements undecided, worst error ÷ bound."""
    out = st.widen(tensor, np.float64).astype(L)
    _, E, M, _, _ = st.FORMATS[tensor.dtype]
    exponent = np.frexp(np.maximum(np.abs(out), np.abs(value.x)))[1] - 1
    half_ulp = np.ldexp(L(0.5), np.maximum(exponent, 2 - (1 << (E - 1))) - M)
    sure = ~np.broadcast_to(value.unsure, out.shape) & np.isfinite(value.x) & np.isfinite(value.e) & np.isfinite(out)
    ratio = np.where(sure, np.abs(out - value.x) / (half_ulp + value.e), 0)
    return int(sure.sum()), int((~sure).sum()), float(ratio.max(initial=0))


# What these need is above.
from exact_choosing import arcee_fusion, consensus, magmax, pcb, ram, ram_plus, sce  # noqa: E402, F401
