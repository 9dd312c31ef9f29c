"""The methods that go by angles, for exact.py: real numbers with a bound on what rounding in W may do to them."""
import numpy as np

import strict as st
from exact import L, Real, choose, known, scaled, total


def slerp(a, b, t):
    """Where the cosine leaves open whether they are parallel strict.py's answer is followed."""
    if t in (0, 1): return b if t else a
    r, coefficients, _ = st.slerp(a.r, b.r, t)
    interpolated = (a + scaled(t, b - a)).with_r(r)
    norm_a, norm_b = (np.sqrt((v.x * v.x).sum()) for v in (a, b))
    if norm_a * norm_b == 0: return interpolated
    cosine = min(max((a.x * b.x).sum() / (norm_a * norm_b), L(-1)), L(1))
    loose = known(3e-13 + np.sqrt((a.e * a.e).sum()) / norm_a + np.sqrt((b.e * b.e).sum()) / norm_b)
    if not squares_fit([norm_a, norm_b]): loose = L(np.inf)
    parallel = choose(np.array(coefficients[0] is None), abs(cosine) - loose > 0.9995, abs(cosine) + loose < 0.9995, "slerp: parallel")
    if parallel.elements: return interpolated.made(interpolated.x, interpolated.e, r, parallel.followed)
    angle = np.arccos(cosine)
    from_a, from_b = np.sin((1 - L(t)) * angle) / np.sin(angle), np.sin(L(t) * angle) / np.sin(angle)
    bends = loose / np.sin(angle)**2 * (np.abs(a.x) + np.abs(b.x))
    turned = scaled(from_a, a) + scaled(from_b, b)
    return turned.made(turned.x, turned.e + bends, r, parallel.followed)


def squares_fit(norms):
    """Whether float64 holds the squares that these come from, as well as it holds what they are sums of."""
    return all(L(2.0)**-450 < norm < L(2.0)**500 for norm in norms if norm != 0)


def nuslerp(a, b, weight_a, weight_b, per):
    t, (groups, g) = L(weight_b) / (L(weight_a) + L(weight_b)), st.grouped(a.shape, per)
    r = st.nuslerp(a.r, b.r, weight_a, weight_b, per)[0]
    row = lambda v, i: Real(*(getattr(v, f).reshape(groups, g)[i] for f in ("x", "e", "r", "followed")))
    rows = [slerp(row(a, i), row(b, i), float(t)) for i in range(groups)]
    if not rows: return a
    join = lambda f: np.concatenate([np.broadcast_to(getattr(v, f), g) for v in rows]).reshape(a.shape)
    return Real(join("x"), join("e"), r, join("followed"))


def karcher(xs, weights, max_iter, tol):
    """The coefficients follow from angles alone, which are as sure as `loose`; where a step is left out, or is the last,
    by an angle about as large as `tol`, strict.py's are followed.  Steps towards what is nearly opposite spread the error."""
    r, coefficients = st.karcher([x.r for x in xs], weights, max_iter, tol)
    c, bend, follow = karcher_coefficients(xs, weights, max_iter, tol)
    if follow: c, bend = [L(one) for one in coefficients], [L(0)] * len(xs)
    merged = total([scaled(w, x) for x, w in zip(xs, c)])
    bends = sum(np.where(x.x == 0, 0, off * np.abs(x.x)) for x, off in zip(xs, bend))
    return merged.made(merged.x, merged.e + bends, r, follow)


def karcher_coefficients(xs, weights, max_iter, tol):
    """→ c, how far each may be off, whether that is not known."""
    k, flat = len(xs), [x.x.reshape(-1) for x in xs]
    norm = [np.sqrt((x * x).sum()) for x in flat]
    spread = [np.sqrt((x.e * x.e).sum()) for x in xs]
    present, nothing = [i for i in range(k) if norm[i] != 0], [L(0)] * k
    follow = any(norm[i] == 0 and spread[i] > 0 for i in range(k)) or not all(np.isfinite(n) for n in norm + spread)
    if follow or not present or not squares_fit(norm): return nothing, nothing, bool(present) or follow
    loose = 3e-13 + 2 * max(spread[i] / norm[i] for i in present)
    near = lambda angle: abs(angle - tol) <= 0.01 * tol + 4 * loose / max(tol, 1e-9)
    share = np.zeros(k, L)
    for i in present: share[i] = L(weights[i]) / sum(L(weights[j]) for j in present)
    cos = np.array([[L(1) if i == j else (flat[i] * flat[j]).sum() / (norm[i] * norm[j]) if norm[i] * norm[j] else L(0)
                     for j in range(k)] for i in range(k)])
    length = lambda v: np.sqrt(max(v @ cos @ v, L(0)))
    start, swing = length(share), L(1)
    follow |= bool(near(start))
    u = share / start
    swing = max(swing, 1 / start if start > 0 else L(1))
    if start < tol: u = np.array([L(i == present[0]) for i in range(k)])
    for _ in range(max_iter):
        step = np.zeros(k, L)
        for i in present:
            d = min(max(u @ cos[i], L(-1)), L(1))
            angle = np.arccos(d)
            follow |= bool(near(angle) or near(L(np.pi) - angle))
            if angle < tol or L(np.pi) - angle < tol: continue
            if d < 0: swing = max(swing, (1 - d * d)**-1.5)
            factor = share[i] * angle / np.sin(angle)
            step = step - factor * d * u
            step[i] = step[i] + factor
        n = length(step)
        follow |= bool(near(n))
        if n < tol: break
        u = np.cos(n) * u + np.sin(n) / n * step
        u = u / length(u)
    radius = sum(L(w) * n for w, n in zip(weights, norm)) / sum(L(w) for w in weights)
    bend = 100 * k * loose * swing * max(abs(u).max(), 1) * abs(radius)
    c = [radius * u[i] / norm[i] if norm[i] else L(0) for i in range(k)]
    return c, [bend / norm[i] if norm[i] else L(0) for i in range(k)], follow or not np.isfinite(bend)
