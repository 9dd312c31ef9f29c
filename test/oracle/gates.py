"""Lines of `expect` about an output that theta wrote, with bounds just beside what the metrics are in plain float64."""
import numpy as np

import recipe as r
import strict as st

RELATIVE, ABSOLUTE = 1e-9, 1e-10    # of norms and distances; of cosines and shares, whose own sums are within 1e-13


def draw(case, output, made, rng):
    """made: the tensors on disk. → the lines, and the one of them that must fail or None; or None where no metric has a value."""
    against = case.base if not output.value.layers else None
    known = values(made, against.tensors if against and against.nan is None else None, output.overflow)
    if not known: return None
    lines = [line(metric, value, bool(rng.random() < 0.5), True) for metric, value in known.items()]
    if rng.random() < 0.6: return lines, None
    metric = list(known)[int(rng.integers(len(known)))]
    failing = line(metric, known[metric], bool(rng.random() < 0.5), False)
    return [*lines, failing], failing


def line(metric, value, is_above, holds):
    """`norm > 3.2`, for example, that holds or does not."""
    if metric == "finite": return "finite" if holds else "norm < 0.0"
    gap = ABSOLUTE if metric.startswith(("cosine", "changed")) else RELATIVE * value
    bound = r.number(float(value - gap if is_above == holds else value + gap))
    return f"{metric} {'>' if is_above else '<'} {bound.text}"


def values(made, base, overflow):
    """{metric: its value}, of those that have one; none where an element is not finite."""
    floats = sorted(name for name, tensor in made.items() if tensor.dtype in st.FORMATS)
    a = joined(made, floats)
    if not a.size or not np.isfinite(a).all(): return {}
    found = {"finite": 1.0}
    with_norm = lambda name, x: found.update({name: x}) if np.isfinite(x) and x > 0 else None
    with_norm("norm", np.sqrt((a * a).sum()))
    if base is None or not set(floats) <= set(base): return found
    b = joined(base, floats)
    if not np.isfinite(b).all(): return found
    with_norm("distance(llama)", np.sqrt(((a - b)**2).sum()))
    squares = (a * a).sum() * (b * b).sum()
    if 1e-290 < squares < 1e290: found["cosine(llama)"] = (a * b).sum() / np.sqrt(squares)
    integers = [name for name in made if name not in floats]
    if not integers: found["changed(llama)"] = changed(made, base, floats, overflow)
    return found


def joined(tensors, names):
    return np.concatenate([st.widen(tensors[name], np.float64).reshape(-1) for name in names] + [np.zeros(0)])


def changed(made, base, names, overflow):
    """The base is written as the output is."""
    def count(made, base):
        finite = np.ones(base.bits.shape, bool)
        bits, _ = st.write(st.widen(base, np.float64), made.dtype, finite, overflow or "inf")
        return int((made.bits.reshape(-1) != bits.reshape(-1)).sum())
    return sum(count(made[name], base[name]) for name in names) / sum(made[name].bits.size for name in names)
