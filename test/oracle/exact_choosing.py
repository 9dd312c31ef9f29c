"""The strategies that choose elements, for exact.py: real numbers with a bound on what rounding in W may do to them."""
import numpy as np

import strict as st
from common import count_rule, key_f32, stream_id, tie_key
from exact import Chosen, L, Real, beside_cut, choose, divide_among, known, nothing_like, scaled, select, strictly, sum_, total, u_of


def near(difference, slack):
    """Where rounding may decide."""
    return (np.abs(difference) <= slack) & (slack > 0)


def active(tau, epsilon):
    size, slack = np.abs(tau.x) - L(epsilon), tau.e + u_of(tau.W) * L(epsilon)
    return choose(np.abs(tau.r) > tau.W(epsilon), size > slack, (size < -slack) | ((size <= 0) & (slack == 0)), "ram: who is active")


def ram(pairs, epsilon=1e-5):
    stays = [active(tau, epsilon) for tau, _ in pairs]
    merged = total([select(kept, tau) for (tau, _), kept in zip(pairs, stays)])
    c = np.maximum(sum(kept.elements.astype(int) for kept in stays), 1).astype(L)
    return merged.made(merged.x / c, merged.e / c, st.ram(strictly(pairs), epsilon))


def ram_plus(pairs, epsilon=1e-5, r=0.1, alpha=0.2):
    stays, y = [active(tau, epsilon) for tau, _ in pairs], ram(pairs, epsilon)
    c = sum(kept.elements.astype(int) for kept in stays)
    for (tau, _), kept in zip(pairs, stays):
        alone = kept.elements & (c == 1)
        shared, unique = int((kept.elements & (c > 1)).sum()), int(alone.sum())
        own = scaled(1 + L(r) * min(L(shared) / unique, L(alpha)), tau) if unique else tau
        y = Real(np.where(alone, own.x, y.x), np.where(alone, own.e, y.e), y.r, y.followed)
    return y.with_r(st.ram_plus(strictly(pairs), epsilon, r, alpha))


def consensus(pairs, scale=1.0, lambda_=0.4, at_least=2):
    merged, tall, followed = sum_(pairs, scale), 0, False
    for tau, _ in pairs:
        rest, W = np.abs(merged.x - tau.x), tau.W
        slack = known(tau.e + L(lambda_) * (merged.e + tau.e + 4 * u_of(W) * rest))
        difference = np.abs(tau.x) - L(lambda_) * rest
        surely = (difference > slack) | ((difference >= 0) & (slack == 0))
        by_rule = np.abs(tau.r) >= W(lambda_) * np.abs(merged.r - tau.r)
        chosen = choose(by_rule, surely, difference < -slack, "consensus: who is active")
        tall, followed = tall + chosen.elements.astype(int), followed | chosen.followed
    return select(Chosen(tall >= at_least, followed), merged).with_r(st.consensus(strictly(pairs), scale, lambda_, at_least))


def magmax(pairs, scale=1.0):
    best = nothing_like(pairs[0][0])
    for tau, _ in pairs:
        difference, slack = np.abs(tau.x) - np.abs(best.x), tau.e + best.e
        surely = (difference > slack) | ((difference >= 0) & (slack == 0))
        larger = choose(np.abs(tau.r) >= np.abs(best.r), surely, difference < -slack, "magmax: which is larger")
        pick = lambda f: np.where(larger.elements, getattr(tau, f), getattr(best, f))
        best = Real(pick("x"), pick("e"), pick("r"), tau.followed | best.followed | (larger.followed & (tau.x != best.x)))
    return scaled(scale, best).with_r(st.magmax(strictly(pairs), scale))


def pcb(pairs, scale=1.0, select=0.05, clip=0.01):
    k, shape = len(pairs), pairs[0][0].shape
    taus = [(tau.x.reshape(-1), tau.e.reshape(-1)) for tau, _ in pairs]
    n, W = taus[0][0].size, pairs[0][0].W
    r = st.pcb(strictly(pairs), scale, select, clip)
    if n == 0: return pairs[0][0].with_r(r)
    doubt = np.zeros(n, bool)
    outside, held = min(int(float(n) * clip), (n - 1) // 2), []
    for x, e in taus:
        size, E = np.abs(x), e.max()
        ascending = np.sort(size)
        low, high = ascending[outside], ascending[n - 1 - outside]
        size, width = np.clip(size, low, high), high - low
        if width <= 8 * E: doubt |= E > 0
        share, off = ((size - low) / width, np.full(n, 5 * E / width)) if width > 0 else (np.ones(n, L), np.zeros(n, L))
        doubt |= near(np.abs(x), e)
        held.append((np.sign(x) * size, e + E, np.sign(x) * share, off))
    rivals, loose = sum(s for _, _, s, _ in held), sum(o for _, _, _, o in held)
    total_, spread, D, D_off, absolute_ = (np.zeros(n, L) for _ in range(5))
    for (x, e), (own, own_off, share, off), (_, w) in zip(taus, held, pairs):
        power = np.exp(k * share * share)
        balance = power * np.tanh(x * rivals)
        beta = np.abs(balance) * (2 * k * np.abs(share) * off + L(1e-13)) + power * (e * np.abs(rivals) + np.abs(x) * loose)
        t, m, B = np.sort(balance)[n - 1 - min(max(int(float(n) * select), 1), n - 1)], balance.max(), beta.max()
        if m - t <= 8 * B: doubt |= B > 0
        doubt |= near(balance - t, beta + B)
        if m > t: score, score_off = np.where(balance > t, (balance - t) / (m - t), 0), np.where(balance > t, (beta + 3 * B) / (m - t), 0)
        else: score, score_off = ((balance >= t) & (x != 0)).astype(L), np.zeros(n, L)
        total_, D, D_off = total_ + L(w) * own * score, D + score, D_off + score_off
        spread = spread + np.abs(L(w)) * (np.abs(own) * score_off + own_off * score)
        absolute_ = absolute_ + np.abs(L(w) * own * score)
    doubt |= (D > 0) & (D <= 4 * D_off)
    divisor = np.maximum(D, L(1e-12))
    y, made = total_ / divisor, lambda a: np.asarray(a, L).reshape(shape)
    e = (spread + np.abs(y) * D_off) * 2 / divisor + (k + 6) * u_of(W) * absolute_ / divisor
    return scaled(scale, pairs[0][0].made(made(y), made(np.where(doubt, np.inf, e)), pairs[0][0].r)).with_r(r)


def varying(pairs, name, share):
    """What sce's selection takes, as strict.py finds it, and where the variances leave it open."""
    taus, k = [tau for tau, _ in pairs], len(pairs)
    wide = [tau.r.astype(np.float64) for tau in taus]
    m, by_rule = sum(wide, np.zeros(taus[0].shape)) / k, np.zeros(taus[0].shape)
    for t in wide: by_rule = by_rule + (t - m) * (t - m)
    by_rule = (by_rule / k).astype(np.float32)
    place = st.positions(key_f32(by_rule).reshape(-1), tie_key(np.arange(by_rule.size, dtype=np.uint64), stream_id("tie", 0, name)))
    chosen = place < count_rule(np.count_nonzero(by_rule), share)
    off = [tau.x - sum(tau.x for tau in taus) / k for tau in taus]
    v, loose = sum(d * d for d in off) / k, sum(tau.e for tau in taus)
    e = known(sum(4 * np.abs(d) * loose for d in off) / k + 2 * loose * loose + L(2.0)**-22 * v + L(2.0)**-149)
    if not chosen.any() or chosen.all(): return Chosen(chosen.reshape(v.shape), np.zeros(v.shape, bool))
    followed = beside_cut(chosen, v.reshape(-1), e.reshape(-1), "sce: which vary most")
    return Chosen(chosen.reshape(v.shape), followed.reshape(v.shape))


def sce(pairs, name, **given):
    share, taus, k = given.get("select", 1.0), [tau for tau, _ in pairs], len(pairs)
    everything = Chosen(np.ones(taus[0].shape, bool), np.zeros(taus[0].shape, bool))
    picked = varying(pairs, name, share) if share < 1 and taus[0].x.ndim else everything
    stays = [select(picked, tau) for tau in taus]
    squares = [(t.x * t.x).sum() for t in stays]
    loose = [known(2 * (np.abs(t.x) * t.e).sum()) + L(1e-13) * s for t, s in zip(stays, squares)]
    S, wide = sum(squares), sum(loose)
    weights = [s / S if S else L(1) / k for s in squares]
    off = [(l + w * wide) / (S - wide) if S > wide else L(np.inf) if wide else L(0) for l, w in zip(loose, weights)]
    given_ = [(t, w) for t, w in zip(stays, weights)]
    agree = [choose_agreeing(elements, t, stays) for t, elements in zip(stays, st.elect(strictly(given_), "unweighted"))]
    merged = divide_among(given_, agree, 1.0, "weights")
    D = sum(np.where(a.elements, w, 0) for a, w in zip(agree, weights))
    bend = lambda o, t: np.where((t.x == 0) & (merged.x == 0), 0, o * (np.abs(t.x) + np.abs(merged.x)))
    bends = sum(np.where(a.elements, bend(o, t), 0) for a, o, t in zip(agree, off, stays)) / np.where(D > 0, D, 1)
    return merged.made(merged.x, merged.e + bends, st.sce(strictly(pairs), name, **given), roundings=2)


def choose_agreeing(elements, tau, taus):
    """Who has the sign of the sum of all."""
    poll = total(taus)
    above, below = tau.x - tau.e > 0, tau.x + tau.e < 0
    plus, minus = (poll.x - poll.e > 0) | ((poll.e == 0) & (poll.x == 0)), poll.x + poll.e < 0
    nothing = (tau.x == 0) & (tau.e == 0)
    chosen = choose(elements, (above & plus) | (below & minus), nothing | (above & minus) | (below & plus), "sce: who agrees")
    return Chosen(chosen.elements, chosen.followed & (np.abs(tau.x) + tau.e > 0))


def arcee_fusion(pairs, theta):
    ((tau, _),) = pairs
    shape, by_rule = st.grouped(tau.shape, "row"), st.arcee_fusion(strictly(pairs), theta.r)
    if tau.x.size == 0: return tau
    flat = lambda a: np.asarray(a, L).reshape(shape)
    x, base, size = flat(theta.x + tau.x), flat(theta.x), flat(np.abs(tau.x))
    softmax = lambda z: (lambda e: e / e.sum(-1, keepdims=True) + L(1e-8))(np.exp(z - z.max(-1, keepdims=True)))
    p, q = softmax(x), softmax(base)
    ratio = np.log(p / q)
    kl = (p * ratio).sum(-1, keepdims=True)
    moved = flat(tau.e) + flat(theta.e) + u_of(tau.W) * np.abs(x)
    kl_off = (p * moved * (2 * np.abs(ratio) + 2 * np.abs(kl) + moved)).sum(-1, keepdims=True) + L(1e-14) * (1 + np.abs(p * ratio).sum(-1, keepdims=True))
    importance, off = size * kl, known(size * kl_off + flat(tau.e) * (np.abs(kl) + kl_off))
    ascending = np.sort(importance.reshape(-1))
    at = lambda part: ascending[int(part * (ascending.size - 1))]
    slack = (off + 4 * off.max()).reshape(tau.shape)
    difference = (importance - (at(0.5) + L(1.5) * (at(0.75) - at(0.25)))).reshape(tau.shape)
    nothing = tau.r == 0        # kept or not, it is 0
    chosen = choose((by_rule != 0) | nothing, ~nothing & (difference > slack), ~nothing & (difference < -slack), "arcee_fusion: who matters")
    return select(Chosen(chosen.elements, chosen.followed & ~nothing), tau).with_r(by_rule)
