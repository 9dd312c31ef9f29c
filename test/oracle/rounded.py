"""The arithmetic of METHODS.md for recipe.py: strict.py, and the steps between its functions.  A value is an array in W."""
import numpy as np

import strict as st
from counters import groups_of, selected  # noqa: F401
from strict import (  # noqa: F401: the rules of a recipe
    Mask, arcee_fusion, consensus, keep, linear, lora_product, magmax, mean, model_stock, nearswap, onto, pcb, ram, ram_plus, rescale,
    sce, sum_, ties)


def read(tensor, W, nan): return st.read(tensor, W, nan)[0]
def widen(tensor, W): return st.widen(tensor, W)
def finite(x): return np.isfinite(x)
def nothing_like(x): return np.zeros_like(x)
def size_of(tau): return st.f64_sum(np.abs(tau).reshape(-1))
def select(kept, tau): return np.where(kept, tau, tau.dtype.type(0))
def scaled(factor, tau): return tau.dtype.type(factor) * tau
def divided(tau, by): return tau / tau.dtype.type(by)
def vectors(pairs): return [st.Vector(tau, np.ones(tau.shape, bool), weight) for tau, weight in pairs]
def slerp(a, b, t): return st.slerp(a, b, t)[0]
def nuslerp(a, b, weight_a, weight_b, per): return st.nuslerp(a, b, weight_a, weight_b, per)[0]
def karcher(xs, weights, max_iter, tol): return st.karcher(xs, weights, max_iter, tol)[0]


def first_rows(rows, other):
    """`other` with as many rows of `rows` as both have."""
    common, result = min(len(rows), len(other)), np.array(other)
    result[:common] = rows[:common]
    return result
