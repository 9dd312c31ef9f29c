"""The strategies that choose elements, for exact.py: real numbers with a bound on what rounding in W may do to them."""
import numpy as np

import strict as st
from exact import Chosen, L, Mask, Real, chosen, nothing_like, scaled, select, sum_, ties, total


def near(difference, slack):
    """Where rounding may decide."""
    return (np.abs(difference) <= slack) & (slack > 0)


def u_of(W): return L(2.0)**-53 if W is np.float64 else L(2.0)**-24


def active(tau, epsilon):
    size = np.abs(tau.x)
    return Chosen(size > L(epsilon), tau.unsure | near(size - L(epsilon), tau.e + u_of(tau.W) * L(epsilon)))


def ram(pairs, epsilon=1e-5):
    stays = [active(tau, epsilon) for tau, _ in pairs]
    merged = total([select(kept, tau) for (tau, _), kept in zip(pairs, stays)])
    c = np.maximum(sum(kept.elements.astype(int) for kept in stays), 1).astype(L)
    return merged.made(merged.x / c, merged.e / c, np.logical_or.reduce([kept.unsure for kept in stays]))


def ram_plus(pairs, epsilon=1e-5, r=0.1, alpha=0.2):
    stays, y = [active(tau, epsilon) for tau, _ in pairs], ram(pairs, epsilon)
    c, doubtful = sum(kept.elements.astype(int) for kept in stays), int(y.unsure.sum())
    for (tau, _), kept in zip(pairs, stays):
        alone = kept.elements & (c == 1)
        shared, unique = int((kept.elements & (c > 1)).sum()), int(alone.sum())
        ratio = lambda more: min(max(shared + more, 0) / (unique - more), alpha) if unique > more else alpha
        factor = 1 + L(r) * L(ratio(0))
        loose = L(r) * L(ratio(doubtful) - (ratio(-doubtful) if unique > doubtful else 0)) if doubtful else L(0)
        own = scaled(factor, tau)
        y = Real(np.where(alone, own.x, y.x), np.where(alone, own.e + np.abs(tau.x) * loose, y.e), y.unsure, y.W)
    return y


def consensus(pairs, scale=1.0, lambda_=0.4, at_least=2):
    merged, surely, maybe = sum_(pairs, scale), 0, 0
    for tau, _ in pairs:
        rest, u = np.abs(merged.x - tau.x), u_of(tau.W)
        slack = tau.e + L(lambda_) * (merged.e + tau.e + 4 * u * rest)
        difference = np.abs(tau.x) - L(lambda_) * rest
        doubt = near(difference, slack) | tau.unsure
        surely, maybe = surely + ((difference >= 0) & ~doubt), maybe + ((difference >= 0) | doubt)
    return select(Chosen(surely >= at_least, (surely < at_least) & (maybe >= at_least)), merged)


def magmax(pairs, scale=1.0):
    best = nothing_like(pairs[0][0])
    for tau, _ in pairs:
        doubt = near(np.abs(tau.x) - np.abs(best.x), tau.e + best.e) & (tau.x != best.x)
        best = Real(np.where(np.abs(tau.x) >= np.abs(best.x), tau.x, best.x), np.maximum(tau.e, best.e), tau.unsure | best.unsure | doubt, tau.W)
    return scaled(scale, best)


def pcb(pairs, scale=1.0, select=0.05, clip=0.01):
    k, shape = len(pairs), pairs[0][0].shape
    taus = [(tau.x.reshape(-1), tau.e.reshape(-1)) for tau, _ in pairs]
    n, W = taus[0][0].size, pairs[0][0].W
    if n == 0: return pairs[0][0]
    doubt = np.full(n, any(tau.unsure.any() for tau, _ in pairs))
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
    return scaled(scale, pairs[0][0].made(made(y), made(e), doubt.reshape(shape)))


def sce(pairs, name, **given):
    share, taus, k = given.get("select", 1.0), [tau for tau, _ in pairs], len(pairs)
    picked = Chosen(np.ones(taus[0].shape, bool), np.logical_or.reduce([tau.unsure for tau in taus]))
    if share < 1 and taus[0].x.ndim:
        off = [tau.x - sum(tau.x for tau in taus) / k for tau in taus]
        v, loose = sum(d * d for d in off) / k, sum(tau.e for tau in taus)
        e = sum(4 * np.abs(d) * loose for d in off) / k + 2 * loose * loose + L(2.0)**-22 * v
        # How many vary decides on the cut: where that is a matter of rounding, so is everything.
        doubtful = picked.unsure.any() or ((v > 0) & ((v <= 2 * e) | (v < L(2.0)**-140))).any() or ((v == 0) & (e > 0)).any()
        size, count = v.size, int(float(np.count_nonzero(v)) * share)
        if doubtful or size == 0: picked = Chosen(picked.elements, np.ones(v.shape, bool))
        else: picked = chosen(Mask("magnitude", (count + 0.5) / size, per="tensor"), Real(v, e, np.zeros(v.shape, bool), np.float32))
    stays = [select(picked, tau) for tau in taus]
    squares = [(t.x * t.x).sum() for t in stays]
    loose = [2 * (np.abs(t.x) * t.e).sum() + np.where(picked.unsure, tau.x * tau.x, 0).sum() for t, tau in zip(stays, taus)]
    S, wide = sum(squares), sum(loose)
    weights = [s / S if S else L(1) / k for s in squares]
    off = [(l + w * wide) / (S - wide) if S > wide else L(np.inf) if wide else L(0) for l, w in zip(loose, weights)]
    merged = ties([(t, w) for t, w in zip(stays, weights)], 1.0, "unweighted", "weights")
    plus = sum(t.x for t in stays) >= 0
    agree = [np.where(plus, t.x > 0, t.x < 0) for t in stays]
    D = sum(np.where(a, w, 0) for a, w in zip(agree, weights))
    bends = sum(np.where(a, o * (np.abs(t.x) + np.abs(merged.x)), 0) for a, o, t in zip(agree, off, stays)) / np.where(D > 0, D, 1)
    return merged.made(merged.x, merged.e + bends, picked.unsure, roundings=2)


def arcee_fusion(pairs, theta):
    ((tau, _),) = pairs
    shape = st.grouped(tau.shape, "row")
    if tau.x.size == 0: return tau
    flat = lambda a: np.asarray(a, L).reshape(shape)
    x, base, size = flat(theta.x + tau.x), flat(theta.x), flat(np.abs(tau.x))
    softmax = lambda z: (lambda e: e / e.sum(-1, keepdims=True) + L(1e-8))(np.exp(z - z.max(-1, keepdims=True)))
    p, q = softmax(x), softmax(base)
    ratio, u = np.log(p / q), u_of(tau.W)
    kl = (p * ratio).sum(-1, keepdims=True)
    moved = flat(tau.e) + flat(theta.e) + u * np.abs(x)
    kl_off = (p * moved * (2 * np.abs(ratio) + 2 * np.abs(kl) + moved)).sum(-1, keepdims=True) + L(1e-14) * (1 + np.abs(p * ratio).sum(-1, keepdims=True))
    importance, off = size * kl, size * kl_off + flat(tau.e) * (np.abs(kl) + kl_off)
    ascending = np.sort(importance.reshape(-1))
    at = lambda part: ascending[int(part * (ascending.size - 1))]
    threshold = at(0.5) + L(1.5) * (at(0.75) - at(0.25))
    doubt = near(importance - threshold, off + 4 * off.max())
    if tau.unsure.any() or theta.unsure.any(): doubt = np.ones(shape, bool)
    return select(Chosen((importance >= threshold).reshape(tau.shape), doubt.reshape(tau.shape)), tau)
