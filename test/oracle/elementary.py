"""sin and acos as native/formula/math.h computes them, and slerp's coefficients from them, so that slerp too is compared
bit for bit.  strict.py leaves these open: it calls the C library's.  Python's floats round each operation as C++ does."""
import math
import struct


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


def sine(x):
    if x != x: return x
    magic = float.fromhex("0x1.8p52")
    n = (x * 6.36619772367581382433e-01 + magic) - magic
    first = x - n * 1.57079632673412561417e+00
    second = n * 6.07710050630396597660e-11
    rest = first - second
    third = n * 2.02226624879595063154e-21 - ((first - rest) - second)
    y = rest - third
    tail = (rest - y) - third
    return (sin_near_zero(y, tail), cos_near_zero(y, tail), -sin_near_zero(y, tail), -cos_near_zero(y, tail))[int(n) & 3]


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


def slerp_coefficients(norm_a, norm_b, dot, t):
    """As strict.slerp_coefficients."""
    p = norm_a * norm_b
    if p == 0: return None, False
    cosine = min(max(dot / p, -1.0), 1.0)
    if abs(cosine) > 0.9995: return None, cosine < 0
    angle = arccosine(cosine)
    whole = sine(angle)
    return (sine((1.0 - t) * angle) / whole, sine(t * angle) / whole), False
