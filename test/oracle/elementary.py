"""sin, cos, acos, exp and log as native/formula/math.h computes them, tanh as native/formula/compete.h, and the coefficients of slerp and karcher from them,
so that methods with these too are compared bit for bit.  strict.py leaves them open: it calls the C library's.  Python's floats and numpy's
round each operation as C++ does; exp and log take arrays."""
import math
import struct

import numpy as np

import strict as st


def sin_near_zero(x, tail):
    z = x * x
    r = 8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06 + z * (
        -2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))
    v = z * x
    return x - ((z * (0.5 * tail - v * r) - tail) - v * -1.66666666666666324348e-01)


def cos_near_zero(x, tail):
    z = x * x
    r = z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05 + z * (
        -2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))))
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + (z * r - x * tail))


def reduce(x):
    """Multiples of π/2 taken away: → y, its tail, and their number modulo 4."""
    magic = float.fromhex("0x1.8p52")
    n = (x * 6.36619772367581382433e-01 + magic) - magic
    first = x - n * 1.57079632673412561417e+00
    second = n * 6.07710050630396597660e-11
    rest = first - second
    third = n * 2.02226624879595063154e-21 - ((first - rest) - second)
    y = rest - third
    tail = (rest - y) - third
    return y, tail, int(n) & 3 if abs(n) < 2.0**51 else 0


def sine(x, quarters=0):
    y, tail, quadrant = reduce(x)
    return (sin_near_zero, cos_near_zero)[(quadrant + quarters) & 1](y, tail) * (-1.0 if (quadrant + quarters) & 2 else 1.0)


def cosine(x): return sine(x, 1)


def arcsine_quotient(z):
    p = z * (1.66666666666666657415e-01 + z * (-3.25565818622400915405e-01 + z * (2.01212532134862925881e-01 + z * (
        -4.00555345006794114027e-02 + z * (7.91534994289814532176e-04 + z * 3.47933107596021167570e-05)))))
    q = 1.0 + z * (-2.40339491173441421878e+00 + z * (2.02094576023350569471e+00 + z * (
        -6.88283971605453293030e-01 + z * 7.70381505559019352791e-02)))
    return p / q


def arccosine(x):
    half_pi, half_pi_tail, magnitude = 1.57079632679489655800e+00, 6.12323399573676603587e-17, abs(x)
    if x != x: return x
    if magnitude == 1.0: return 0.0 if x > 0 else 2.0 * half_pi
    if magnitude < 0.5:
        if magnitude < 2.0**-57: return half_pi
        return half_pi - (x - (half_pi_tail - x * arcsine_quotient(x * x)))
    z = (1.0 - magnitude) * 0.5
    s = math.sqrt(z)
    quotient = arcsine_quotient(z)
    if x < 0: return 2.0 * (half_pi - (s + (quotient * s - half_pi_tail)))
    (bits,) = struct.unpack("<Q", struct.pack("<d", s))
    (high,) = struct.unpack("<d", struct.pack("<Q", bits & 0xFFFFFFFF00000000))
    return 2.0 * (high + (quotient * s + (z - high * high) / (s + high)))


def horner(x, coefficients):
    """Of rising powers of x."""
    y = np.float64(coefficients[-1])
    for c in coefficients[-2::-1]: y = c + x * y
    return y


def bits_of(x): return np.asarray(x, np.float64).view(np.uint64)
def from_bits(bits): return np.asarray(bits, np.uint64).view(np.float64)


EXPONENTIAL = [0.5] + [float.fromhex(c) for c in (
    "0x1.5555555555557p-3", "0x1.5555555555556p-5", "0x1.11111111100dcp-7", "0x1.6c16c16c162d4p-10", "0x1.a01a01abe7fe1p-13",
    "0x1.a01a01a6d889cp-16", "0x1.71de0231960ebp-19", "0x1.27e4db646b17ep-22", "0x1.af4de97ca4194p-26", "0x1.1f730349868cep-29")]
LN2, LN2_TAIL = 6.93147180369123816490e-01, 1.90821492927058770002e-10


def exponential(x):
    x = np.asarray(x, np.float64)
    inside = np.where(x < -746.0, -746.0, np.where(x > 710.0, 710.0, x))
    magic = float.fromhex("0x1.8p52")
    shifted = inside * 1.44269504088896338700e+00 + magic
    n = shifted - magic
    r = (inside - n * LN2) - n * LN2_TAIL
    fraction = 1.0 + (r + (r * r) * horner(r, EXPONENTIAL))
    biased = bits_of(shifted) - bits_of(magic) + np.uint64(2048)
    half, one, places = biased >> np.uint64(1), np.uint64(1), np.uint64(52)
    return fraction * from_bits((half - one) << places) * from_bits((biased - half - one) << places)


def logarithm(x):
    x = np.asarray(x, np.float64)
    denormal = x < 2.0**-1022
    bits = bits_of(np.where(denormal, x * 2.0**54, x)) + np.uint64(0x3FF0000000000000 - 0x3FE6A09E00000000)
    k = from_bits((bits >> np.uint64(52)) | np.uint64(0x4330000000000000)) - np.where(denormal, 2.0**52 + 1077, 2.0**52 + 1023)
    f = from_bits((bits & np.uint64(0x000FFFFFFFFFFFFF)) + np.uint64(0x3FE6A09E00000000)) - 1.0
    half_square = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * horner(w, [3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01])
    odd = z * horner(w, [6.666666666666735130e-01, 2.857142874366239149e-01, 1.818357216161805012e-01, 1.479819860511658591e-01])
    y = s * (half_square + (odd + even)) + k * LN2_TAIL - half_square + f + k * LN2
    special = np.where(x == 0, -np.inf, np.where(x < 0, np.nan, x))
    return np.where((x > 0) & (x < np.inf), y, special)


def hyperbolic_tangent(x):
    x = np.asarray(x, np.float64)
    size = np.abs(x)
    z = size * size
    near = size * (horner(z, [135135.0, 17325.0, 378.0, 1.0]) / horner(z, [135135.0, 62370.0, 3150.0, 28.0]))
    far = 1.0 - 2.0 / (exponential(size + size) + 1.0)
    y = np.where(size < 0.5, near, far)
    return np.where(x < 0, -y, y)


def slerp_coefficients(norm_a, norm_b, dot, t):
    """As strict.slerp_coefficients."""
    p = norm_a * norm_b
    if p == 0: return None, False
    cosine = min(max(dot / p, -1.0), 1.0)
    if abs(cosine) > 0.9995: return None, cosine < 0
    angle = arccosine(cosine)
    whole = sine(angle)
    return (sine((1.0 - t) * angle) / whole, sine(t * angle) / whole), False


def plain_sum(terms):
    """From +0, term by term: Python's own sum of floats is compensated from 3.12 on."""
    total = np.float64(0)
    for term in terms: total = total + term
    return total


def karcher_coefficients(gram, weights, max_iter, tol):
    """As strict.karcher_coefficients, but that a norm that is NaN is one that is not zero: METHODS.md lets a NaN be seen."""
    gram, k = np.asarray(gram, np.float64), len(weights)
    norm = np.sqrt(np.diagonal(gram))
    present = [i for i in range(k) if norm[i] != 0]
    if not present: return [0.0] * k
    total = plain_sum(weights)
    share = np.zeros(k)
    # A sum that counts as zero leaves no point: NaN.
    present_total = st.divisor([weights[j] for j in present], [True] * len(present), np.float64)
    for i in present: share[i] = np.float64(weights[i]) / present_total
    cos = np.zeros((k, k))
    for i in present:
        for j in present:
            p = norm[i] * norm[j]
            cos[i, j] = 1.0 if i == j else gram[i, j] / p if p != 0 else 0.0
    dot = lambda x, i: plain_sum(x[j] * cos[j, i] for j in present)
    length = lambda x: np.sqrt(max(plain_sum(x[i] * dot(x, i) for i in present), np.float64(0)))
    start = length(share)
    u = share / start
    if start < tol: u = np.array([float(i == present[0]) for i in range(k)])
    for _ in range(max_iter):
        step = np.zeros(k)
        for i in present:
            d = min(max(dot(u, i), -1.0), 1.0)
            angle = arccosine(d)
            if angle < tol or math.pi - angle < tol: continue
            f = share[i] * (angle / sine(angle))
            step = step - (f * d) * u
            step[i] = step[i] + f
        n = length(step)
        if n < tol: break
        u = cosine(n) * u + (sine(n) / n) * step
        u = (np.float64(1) / length(u)) * u
    radius = plain_sum(weights[i] / total * norm[i] for i in range(k))
    return [float(radius * u[i] / norm[i]) if norm[i] != 0 else 0.0 for i in range(k)]
