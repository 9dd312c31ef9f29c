"""The same rules as rounded.py, from the textbook: real numbers with a bound on what rounding in W may do to them.

`x` is a long double, `e` bounds |value in W − x|: each operation of W adds u·|result| (u half an ulp of 1) to what its
operands bring, so a merge of k vectors stays within methods.md's (k + 9)·u·(|θ| + |s|·Σ|wᵢτᵢ| ÷ |divisor|).  Beside them
stands `r`, the value in W as strict.py has it, by which masks and elections choose.  A choice that the bound leaves open is
followed, and said to be; one that the bound rules out is a Contradiction.  What e is infinite for is left out: values that W
cannot hold, and the few coefficients that hang on a threshold.
"""
from dataclasses import dataclass

import numpy as np

import rounded
import strict as st
from counters import EVERYTHING
from common import key_of, philox_u32, prob_threshold, stream_id, tie_key
from strict import Mask  # noqa: F401: a rule of a recipe

L = np.longdouble
SECOND_ORDER = L(1 + 2.0**-10)      # products of bounds, which the sums below leave out
LARGEST = {np.float32: L(2.0)**127, np.float64: L(2.0)**1023}


class Contradiction(Exception):
    """strict.py chose what no rounding can explain."""


def u_of(W): return L(2.0)**-53 if W is np.float64 else L(2.0)**-24


@dataclass
class Real:
    x: np.ndarray
    e: np.ndarray
    r: np.ndarray
    followed: np.ndarray            # where a choice that the bound leaves open took part

    __array_ufunc__ = None          # so that `array & Kept` and the like come to our operators

    @property
    def shape(self): return self.x.shape
    @property
    def W(self): return self.r.dtype.type
    @property
    def T(self): return Real(self.x.T, self.e.T, self.r.T, self.followed.T)
    def __len__(self): return len(self.x)

    def made(self, x, e, r, followed=False, roundings=1):
        """A result that W rounds so many times; what is known and W holds is not rounded."""
        tiny = L(2.0)**-1074 if self.W is np.float64 else L(2.0)**-149
        rounded_ = (e + roundings * (u_of(self.W) * np.abs(x) + tiny)) * SECOND_ORDER
        e = np.where((roundings == 1) & (e == 0) & (x.astype(self.W) == x), L(0), rounded_)
        return Real(x, np.where(np.isnan(e) | ~(np.abs(x) < LARGEST[self.W]), np.inf, e), r, self.followed | followed)

    def with_r(self, r): return Real(self.x, self.e, r, self.followed)
    def __add__(self, other): return self.made(self.x + other.x, self.e + other.e, self.r + other.r, other.followed)
    def __sub__(self, other): return self.made(self.x - other.x, self.e + other.e, self.r - other.r, other.followed)
    def __neg__(self): return Real(-self.x, self.e, -self.r, self.followed)


@dataclass
class Chosen:
    """What a mask keeps."""
    elements: np.ndarray
    followed: np.ndarray

    __array_ufunc__ = None

    def __and__(self, other): return self.joined(other, np.logical_and)
    def __or__(self, other): return self.joined(other, np.logical_or)
    __rand__, __ror__ = __and__, __or__
    def __invert__(self): return Chosen(~self.elements, self.followed)

    def joined(self, other, how):
        elements, followed = (other.elements, other.followed) if isinstance(other, Chosen) else (other, False)
        return Chosen(how(self.elements, elements), self.followed | followed)


def choose(elements, surely, surely_not, what):
    """What strict.py chose, held to what is sure."""
    if (elements & surely_not).any() or (~elements & surely).any(): raise Contradiction(what)
    return Chosen(elements, ~(surely | surely_not))


def known(bound): return np.where(np.isnan(bound), np.inf, bound)


def exactly(x, W):
    x = np.asarray(x, L)
    return Real(x, np.where(np.abs(x) < LARGEST[W], L(0), np.inf), x.astype(W), np.zeros(x.shape, bool))


def read(tensor, W, nan):
    x = st.widen(tensor, np.float64)
    return exactly(np.where(np.isfinite(x), x, 0) if nan == "zero" else x, W)


def widen(tensor, W): return exactly(st.widen(tensor, np.float64), W)
def finite(value): return np.isfinite(value.r)
def nothing_like(value): return exactly(np.zeros(value.shape), value.W)
def onto(theta, y): return (theta + y).with_r(st.onto(theta.r, y.r))
def roundings_of(W, number): return 1 if L(W(number)) == L(number) else 2
def scaled(by, v): return v.made(L(by) * v.x, abs(L(by)) * v.e, rounded.scaled(by, v.r), roundings=roundings_of(v.W, by))
def divided(v, by): return v.made(v.x / L(by), v.e / abs(L(by)), rounded.divided(v.r, by), roundings=roundings_of(v.W, by))
def vectors(pairs): return pairs
def size_of(tau): return rounded.size_of(tau.r)        # within 1e-13, as METHODS.md has it
def strictly(pairs): return rounded.vectors([(tau.r, weight) for tau, weight in pairs])


def groups_of(mask, tau, kept): return EVERYTHING       # counters are for the rounded
def selected(kept, groups): return None


def select(kept, tau):
    elements, followed = (kept.elements, kept.followed) if isinstance(kept, Chosen) else (kept, False)
    pick = lambda a: np.where(elements, a, a.dtype.type(0))
    return Real(pick(tau.x), pick(tau.e), pick(tau.r), tau.followed | followed)


def first_rows(rows, other):
    common = min(len(rows), len(other))
    return Real(*(np.concatenate([getattr(rows, f)[:common], getattr(other, f)[common:]]) for f in ("x", "e", "r", "followed")))


# ------------------------------------------------------------------------------------------------- masks

@dataclass
class Kept:
    elements: Chosen
    strict: object          # strict.py's Kept


def keep(mask, taus, stream):
    """{name: τ} → {name: Kept}: strict.py's choice, held to what the sizes of the elements make sure."""
    by_rule = st.keep(mask, {name: tau.r for name, tau in taus.items()}, stream)
    masked = [name for name in sorted(taus, key=str.encode) if st.applies(mask, taus[name].r)]
    open_ = {name: np.zeros(tau.shape, bool) for name, tau in taus.items()}
    if masked:
        per = mask.per or st.DEFAULT_PER[mask.kind]
        together = [masked] if per == "model" else [[name] for name in masked]
        for names in together:
            for name, undecided in zip(names, undecided_of(mask, per, names, taus, by_rule, stream)): open_[name] = undecided
    return {name: Kept(Chosen(kept.elements, open_[name]), kept) for name, kept in by_rule.items()}


def undecided_of(mask, per, names, taus, by_rule, stream):
    """Of tensors that are ordered together: where their bounds leave open what is kept."""
    if mask.kind == "random":
        for name in names: compare_words(mask, name, stream, by_rule[name], prob_threshold(mask.density))
        return [np.zeros(taus[name].shape, bool) for name in names]
    W = np.result_type(*(taus[name].r.dtype for name in names))
    shape = lambda name: st.grouped(taus[name].shape, per)
    side_by_side = lambda of: np.concatenate([of(name).reshape(shape(name)) for name in names], -1)
    size, e = side_by_side(lambda name: np.abs(taus[name].x)), side_by_side(lambda name: taus[name].e)
    key = side_by_side(lambda name: key_of(taus[name].r.astype(W)).astype(np.uint64))
    tie = side_by_side(lambda name: tie_key(np.arange(taus[name].x.size, dtype=np.uint64), stream_id("tie", stream, name)))
    place = st.positions(key, tie)
    cuts = np.cumsum([taus[name].x.size for name in names])[:-1] if per == "model" else []
    apart = lambda pieces: [piece.reshape(taus[name].shape) for name, piece in zip(names, np.split(pieces, cuts, -1))]
    if mask.kind == "della":
        lowest, highest = ranks(size, e, size.shape[-1] - 1 - place)
        T = side_by_side(lambda name: by_rule[name].T)
        low, high = (thresholds(mask, rank, size.shape[-1]) for rank in (lowest, highest))
        if ((T < low) | (T > high)).any(): raise Contradiction(f"della: ranks in {names}")
        word = side_by_side(lambda name: compare_words(mask, name, stream, by_rule[name], by_rule[name].T))
        return apart((word >= low) & (word < high) & (size + e > 0))
    g, undecided = size.shape[-1], np.zeros(size.shape, bool)
    top = int(float(g) * mask.drop_top) if mask.kind == "breadcrumbs" else 0
    count = int(float(g) * min(mask.density, 1.0))
    count = min(max(count, 1) if mask.at_least_one else count, g - top)
    kept = side_by_side(lambda name: by_rule[name].elements)
    if (kept != ((place >= top) & (place < top + count))).any(): raise Contradiction(f"{mask.kind}: how many are kept of {names}")
    for cut in {top, top + count} if count else ():
        if 0 < cut < g: undecided |= beside_cut(place < cut, size, e, f"{mask.kind}: which are kept of {names}")
    return apart(undecided & (size + e > 0))        # 0 stays 0 whether it is kept or not


def beside_cut(above, size, e, what):
    """Where the bounds let an element be on the other side of the cut; along the last axis.  Of equal ones that are known
    exactly the order is no matter of rounding."""
    least = lambda a, of=True: np.where(above & of, a, np.inf).min(-1, keepdims=True)
    most = lambda a, of=True: np.where(~above & of, a, -np.inf).max(-1, keepdims=True)
    if (most(size - e) > least(size + e)).any(): raise Contradiction(what)
    loose = e > 0
    below = (size - e <= most(size + e, loose)) | (loose & (size - e <= most(size, ~loose)))
    over = (size + e >= least(size - e, loose)) | (loose & (size + e >= least(size, ~loose)))
    return np.where(above, below, over)


def compare_words(mask, name, stream, kept, T):
    """The words of the elements; what is kept is what has one below T."""
    word = philox_u32(mask.seed, stream_id(mask.kind, stream, name), 0, kept.elements.size).astype(np.uint64)
    if (kept.elements != (word.reshape(kept.elements.shape) < np.asarray(T, np.uint64))).any():
        raise Contradiction(f"{mask.kind}: which words are below their threshold in {name}")
    return word


def ranks(size, e, rank):
    """The lowest and the highest that an element can have in its group, 0 for the smallest; `rank` where all is known exactly."""
    lowest, highest, g = rank.copy(), rank.copy(), size.shape[-1]
    # What is not finite can be anything; NaN comes behind infinity, here as in the order of sizes.
    least, most = np.where(np.isfinite(e), size - e, -np.inf), np.where(np.isfinite(e), size + e, np.nan)
    for row in np.flatnonzero(e.any(-1)) if g else ():
        lowest[row] = np.searchsorted(np.sort(most[row]), least[row], "left")
        highest[row] = np.searchsorted(np.sort(least[row]), most[row], "right") - 1
    return lowest, np.minimum(highest, g - 1)


def thresholds(mask, rank, g):
    """In integers of any size, unlike strict.py's."""
    low, high = prob_threshold(mask.density - mask.epsilon), prob_threshold(mask.density + mask.epsilon)
    if g < 2: return np.full(rank.shape, prob_threshold(mask.density), np.uint64)
    return np.array([low + (high - low) * int(r) // (g - 1) for r in rank.reshape(-1)], np.uint64).reshape(rank.shape)


def rescale(mask, tau, kept):
    how, r = mask.rescale or st.DEFAULT_RESCALE[mask.kind], st.rescale(mask, tau.r, kept.strict)
    if how == "none" or tau.x.ndim == 0 or mask.density >= 1: return tau
    if how == "inv":
        p = kept.strict.T.astype(L) / L(2.0)**32 if mask.kind == "della" else L(mask.density)
        p = np.where(p > 0, p, 1)       # no word is below 0
        return tau.made(tau.x / p, tau.e / p, r, roundings=2)
    stays = kept.elements.elements
    before, after = np.abs(tau.x).sum(), np.where(stays, np.abs(tau.x), 0).sum()
    if not (np.abs(tau.r).any() and np.where(stays, tau.r, 0).any()): return tau.made(tau.x, tau.e, r)
    loose, off = tau.e.sum(), np.where(stays, tau.e, 0).sum()
    factor, relative = before / after, loose / before + (off / (after - off) if after > off else L(np.inf)) + L(1e-13)
    # Of what W cannot hold, a factor or an element of the sums, a 0 is NaN, too.
    if not (factor < LARGEST[tau.W] and np.isfinite(loose)): return tau.made(tau.x, np.full(tau.shape, np.inf), r)
    return tau.made(tau.x * factor, np.where(tau.x == 0, tau.e * factor, (tau.e + np.abs(tau.x) * relative) * factor), r, roundings=2)


# ------------------------------------------------------------------------------------------------- strategies

def total(terms):
    result = terms[0]
    for term in terms[1:]: result = result + term
    return result


def sum_(pairs, s): return scaled(s, total([scaled(w, tau) for tau, w in pairs])).with_r(st.sum_(strictly(pairs), s))


def mean(pairs, s):
    average = divided(total([scaled(w, tau) for tau, w in pairs]), sum(w for _, w in pairs))
    return scaled(s, average).with_r(st.mean(strictly(pairs), s))


def ties(pairs, s, elect, divide):
    votes = [tau if elect == "unweighted" else scaled(w, tau) for tau, w in pairs]
    poll = total([Real(np.sign(v.x), np.where(np.abs(v.x) > v.e, 0.0, np.where(v.e > 0, 2.0, 0.0)), v.r, v.followed)
                  for v in votes] if elect == "count" else votes)
    # A sum of 0 elects plus, and so does one that nobody voted in.
    plus, minus = (poll.x - poll.e > 0) | ((poll.e == 0) & (poll.x == 0)), poll.x + poll.e < 0
    if elect == "none": plus = minus = np.ones(poll.shape, bool)
    stays = []
    for vote, elements in zip(votes, st.elect(strictly(pairs), elect)):
        above, below, nothing = vote.x - vote.e > 0, vote.x + vote.e < 0, (vote.x == 0) & (vote.e == 0)
        surely_not = nothing if elect == "none" else nothing | (above & minus) | (below & plus)
        chosen = choose(elements, (above & plus) | (below & minus), surely_not, "ties: who agrees")
        stays.append(Chosen(chosen.elements, chosen.followed & (np.abs(vote.x) + vote.e > 0)))
    return divide_among(pairs, stays, s, divide).with_r(st.ties(strictly(pairs), s, elect, divide))


def divide_among(pairs, stays, s, divide):
    """s × (the sum of what stays ÷ what it is divided by)."""
    merged = total([select(kept, scaled(w, tau)) for (tau, w), kept in zip(pairs, stays)])
    D = np.ones(merged.shape, L)
    if divide == "count": D = np.maximum(sum(kept.elements.astype(int) for kept in stays), 1).astype(L)
    if divide == "weights":
        sums, sizes = (sum(np.where(kept.elements, f(L(w)), 0) for (_, w), kept in zip(pairs, stays)) for f in (lambda w: w, abs))
        smallest = 2.0**-149 if merged.W is np.float32 else 0
        D = np.where((np.abs(sums) <= 2.0**-40 * sizes) | (np.abs(sums) < smallest), 1, sums)
    return scaled(s, merged.made(merged.x / D, merged.e / np.abs(D), merged.r, roundings=2))


def nearswap(pairs, t):
    ((tau, _),) = pairs
    return tau.made(np.clip(tau.x, -L(t), L(t)), tau.e, st.nearswap(strictly(pairs), t), roundings=3)


def model_stock(pairs, per):
    taus, k, r = [tau for tau, _ in pairs], len(pairs), st.model_stock(strictly(pairs), per)
    average = divided(total(taus), k)
    if k == 1: return average.with_r(r)
    shape = st.grouped(average.shape, per)
    sizes = [np.sqrt((tau.x.reshape(shape)**2).sum(-1)) for tau in taus]
    loose = [np.sqrt((tau.e.reshape(shape)**2).sum(-1)) for tau in taus]
    unsure = np.zeros(shape[0], bool)
    c, c_loose, pairs_ = np.zeros(shape[0], L), np.zeros(shape[0], L), k * (k - 1) // 2
    for i in range(k):
        for j in range(i + 1, k):
            p, dot = sizes[i] * sizes[j], (taus[i].x * taus[j].x).reshape(shape).sum(-1)
            c = c + np.where(p == 0, 0, np.clip(dot / p, -1, 1)) / pairs_
            off = sum(np.where(loose[n] == 0, 0, loose[n] / sizes[n]) for n in (i, j))
            c_loose = c_loose + np.where(p == 0, 0, 3e-13 + off) / pairs_
            unsure = unsure | (p == 0) & ((loose[i] > 0) | (loose[j] > 0))
    d = 1 + (k - 1) * c
    unsure = unsure | (np.abs(d) <= 2 * k * c_loose + 1e-12)
    t = np.where(d <= 0, 0, np.clip(k * c / d, 0, 1))[:, None]
    t_loose = np.where(unsure, np.inf, 4 * k * c_loose / d**2)[:, None]
    mean_, spread = average.x.reshape(shape), average.e.reshape(shape)
    e = (t * spread + np.where(mean_ == 0, 0, t_loose * np.abs(mean_))).reshape(average.shape)
    return average.made((t * mean_).reshape(average.shape), e, r, roundings=2)


# ------------------------------------------------------------------------------------------------- models

def linear(xs, weights, normalize=True):
    plain, r = total([scaled(w, x) for x, w in zip(xs, weights)]), st.linear([x.r for x in xs], weights, normalize)
    if not normalize: return plain.with_r(r)
    if len(xs) == 1: return xs[0]
    bound = xs[0] + divided(total([scaled(w, x - xs[0]) for x, w in zip(xs[1:], weights[1:])]), sum(weights))
    x = np.where(bound.e == 0, bound.x, plain.x / sum(L(w) for w in weights))
    # A long double is rounded, too: what is known exactly, as of equal models, is so by its differences.  In float64 the sum of
    # the weights is rounded as often as it is added to.
    sums = len(xs) * u_of(xs[0].W) * np.abs(x - xs[0].x) if xs[0].W is np.float64 else L(0)
    return Real(x, np.where(bound.e == 0, bound.e, bound.e + sums), r, bound.followed)


def lora_product(a, b, scaling, transposed):
    rank, W = a.shape[0], a.W
    x, size = b.x @ a.x, np.abs(b.x) @ np.abs(a.x)
    e = (rank + 2) * (u_of(W) * size + (L(2.0)**-1074 if W is np.float64 else L(2.0)**-149))
    tau = scaled(scaling, exactly(x, W).made(x, e, x.astype(W)))
    return (tau.T if transposed else tau).with_r(st.lora_product(a.r, b.r, scaling, transposed))


# ------------------------------------------------------------------------------------------------- the judgement

def judge(tensor, value):
    """A stored tensor against its exact value: → elements checked, of these such that follow a choice, elements left out, worst
    error ÷ bound."""
    out = st.widen(tensor, np.float64).astype(L)
    _, E, M, _, limit = st.FORMATS[tensor.dtype]
    exponent = np.frexp(np.maximum(np.abs(out), np.abs(value.x)))[1] - 1
    half_ulp = np.ldexp(L(0.5), np.maximum(exponent, 2 - (1 << (E - 1))) - M)
    largest = st.widen(st.Tensor(tensor.dtype, np.array(limit - 1, st.FORMATS[tensor.dtype][0])), np.float64)
    fits = np.abs(value.x) + value.e + half_ulp < largest
    sure = fits & np.isfinite(value.x) & np.isfinite(value.e) & np.isfinite(out)
    ratio = np.where(sure, np.abs(out - value.x) / (half_ulp + value.e), 0)
    followed = np.broadcast_to(value.followed, out.shape) & sure
    return int(sure.sum()), int(followed.sum()), int((~sure).sum()), float(ratio.max(initial=0))


# What these need is above.
from exact_choosing import arcee_fusion, consensus, magmax, pcb, ram, ram_plus, sce  # noqa: E402, F401
from exact_spherical import karcher, nuslerp, slerp  # noqa: E402, F401
