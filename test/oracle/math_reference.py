"""Writes ../native/core/math_reference.h: hard arguments of the elementary functions and their values to 100 bits.

Only Python's decimal is used, with series of our own, so that neither a C library nor the formulas under test are asked.
Run it by hand:  python3 math_reference.py
"""
import pathlib
import random
import struct
from decimal import Decimal, getcontext

getcontext().prec = 90


def series(term, ratio):
    """The sum of term and what follows, each the one before times ratio(n), until it no longer counts."""
    total, n = term, 1
    while term and abs(term) > abs(total) * Decimal(10)**-80 or n < 4:
        term = term * ratio(n)
        total, n = total + term, n + 1
        if n > 2000: break
    return total


def arctangent_of_inverse(n): return series(Decimal(1) / n, lambda k: Decimal(-(2 * k - 1)) / ((2 * k + 1) * n * n))


PI = 4 * (4 * arctangent_of_inverse(5) - arctangent_of_inverse(239))     # Machin


def sine(x):
    x = x - (x / (2 * PI)).to_integral_value() * 2 * PI
    return series(x, lambda n: -x * x / ((2 * n) * (2 * n + 1)))


def cosine(x):
    x = x - (x / (2 * PI)).to_integral_value() * 2 * PI
    return series(Decimal(1), lambda n: -x * x / ((2 * n - 1) * (2 * n)))


def arccosine(x):
    """Twice the arcsine of √((1 − x)/2), which loses nothing near 1."""
    if abs(x) == 1: return Decimal(0) if x > 0 else PI
    if x < 0: return PI - arccosine(-x)
    s = ((1 - x) / 2).sqrt()
    total, power, coefficient, n = Decimal(0), s, Decimal(1), 0
    while power * coefficient > Decimal(10)**-85:
        total += coefficient * power / (2 * n + 1)
        coefficient = coefficient * (2 * n + 1) / (2 * n + 2)
        power, n = power * s * s, n + 1
    return 2 * total


def exponential(x):
    halvings = 12
    y = series(Decimal(1), lambda n: x / 2**halvings / n)
    for _ in range(halvings): y = y * y
    return y


def logarithm(x): return x.ln()     # decimal's own, correctly rounded


FUNCTIONS = {"sine": sine, "cosine": cosine, "arccosine": arccosine, "exponential": exponential, "logarithm": logarithm}


def next_up(x, steps):
    (bits,) = struct.unpack("<q", struct.pack("<d", x))
    return struct.unpack("<d", struct.pack("<q", bits + steps))[0]


def arguments(name):
    rng, pi = random.Random(name), float(PI)
    if name in ("sine", "cosine"):
        ends = [0.0, 1e-300, 2.0**-27, 2.0**-26, 0.5, 1.0, 2.0, pi, 2.0**20 - 0.5]
        # Multiples of π/2 and π/4, and their neighbours: most digits cancel, or the quadrant changes.
        near = [next_up(k * pi / 4, s) for k in (1, 2, 3, 4, 5, 6, 7, 8, 100, 1001, 65536, 1290005) for s in (-1, 0, 1)]
        return ends + near + [6381956970095103 * 2.0**-33] + [rng.uniform(0, 3.2) for _ in range(25)] + \
            [rng.uniform(-1e6, 1e6) for _ in range(25)]
    if name == "arccosine":
        near = [next_up(x, s) for x in (0.5, -0.5, 0.9995, -0.9995, 0.75, 2.0**-57) for s in (-1, 0, 1)]
        ends = [1.0, -1.0, 0.0, 1 - 2.0**-53, -1 + 2.0**-53, 1 - 5e-11, -1 + 5e-11, 1e-300, 2.0**-27]
        return ends + near + [1 - 2.0**-rng.uniform(1, 53) for _ in range(20)] + \
            [2.0**-rng.uniform(1, 53) - 1 for _ in range(15)] + [rng.uniform(-1, 1) for _ in range(30)]
    if name == "exponential":
        ends = [0.0, 2.0**-54, -2.0**-54, 1e-10, 1.0, -1.0, 709.78, -708.39, -740.0, -745.1]
        near = [next_up((k + 0.5) * 0.6931471805599453, s) for k in (-1, 0, 1, 37, -500, 1000) for s in (-1, 0, 1)]
        return ends + near + [rng.uniform(-20, 0) for _ in range(30)] + [rng.uniform(-700, 700) for _ in range(20)]
    ends = [5e-324, 2.0**-1022, 2.0**-1023, 1.7976931348623157e308, 0.5, 2.0, 10.0]
    near = [next_up(x, s) for x in (1.0, 0.7071067811865476, 1.4142135623730951) for s in (-2, -1, 0, 1, 2)]
    return ends + near + [1 + rng.uniform(-1, 1) * 2.0**-rng.uniform(1, 40) for _ in range(30)] + \
        [2.0**rng.uniform(-1000, 1000) for _ in range(20)]


def main():
    lines = ["// Made by test/oracle/math_reference.py: hard arguments and what the functions are there, as the nearest float64 and",
             "// the rest that it leaves out.", "#pragma once", "", "namespace theta_test {", "",
             "struct MathReference {", "  double x, value, rest;", "};", ""]
    for name, function in FUNCTIONS.items():
        lines.append(f"inline constexpr MathReference k{name.capitalize()}[] = {{")
        for x in arguments(name):
            exact = function(Decimal(x))
            value = float(exact)
            rest = float(exact - Decimal(value))
            lines.append(f"    {{{x.hex()}, {value.hex()}, {rest.hex()}}},")
        lines += ["};", ""]
    lines.append("}  // namespace theta_test")
    path = pathlib.Path(__file__).resolve().parent.parent / "native" / "core" / "math_reference.h"
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {sum(line.startswith('    {') for line in lines)} values")


if __name__ == "__main__":
    main()
