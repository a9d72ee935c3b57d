#!/usr/bin/env python3
"""Prints tests/activation/table.rs: x, and exp, sigmoid, tanh of it to about 106 bits.

Needs mpmath (pip install mpmath). Run: python3 tests/activation/table.py > tests/activation/table.rs
Each value is m·2^k with m a sum of two f64, hi + lo, and 1 <= |hi| < 2 or zero.
"""

import random
import struct

from mpmath import mp, mpf, exp, expm1, frexp, ldexp, log, tanh

mp.prec = 300


def bits(x):
    return f"0x{struct.unpack('<Q', struct.pack('<d', float(x)))[0]:016x}"


def row(y):
    m, e = frexp(y)
    m, e = 2 * m, int(e) - 1
    hi = float(m)
    return f"({bits(hi)}, {bits(m - mpf(hi))}, {e})"


random.seed(1)
points = [0.5, 1.0, 2.0, 0.55, 1e-10, 1e-3, 0.1, 0.25, 0.3465735, 0.3465736, 8.0, 18.0, 20.0, 36.7, 37.0]
points += [float(log(2) * k / 2) for k in range(1, 12)]
points += [random.uniform(0, 20) for _ in range(30)]
points += [10 ** random.uniform(-8, 0) for _ in range(30)]
points += [random.uniform(20, 700) for _ in range(20)]

print("// Printed by table.py. (x, [exp, sigmoid, tanh] of x as (hi, lo, k), the value (hi + lo)·2^k).")
print("pub type Row = (u64, [(u64, u64, i32); 3]);")
print("#[rustfmt::skip]")
print("pub const TABLE: &[Row] = &[")
for a in points:
    for x in (mpf(a), -mpf(a)):
        print(f"    ({bits(x)}, [{row(exp(x))}, {row(1 / (1 + exp(-x)))}, {row(tanh(x))}]),")
print("];")
