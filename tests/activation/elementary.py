#!/usr/bin/env python3
"""Prints tests/activation/elementary_table.rs: x and ln(1 + x), v and cos(2 pi v), to about 106 bits.

Needs mpmath (pip install mpmath).
Run: python3 tests/activation/elementary.py > tests/activation/elementary_table.rs
Each value is m·2^k with m a sum of two f64, hi + lo, and 1 <= |hi| < 2 or zero.
"""

import random
import struct

from mpmath import mp, mpf, cospi, frexp, log1p

mp.prec = 1200  # 1 + x with all digits of a tiny x


def bits(x):
    return f"0x{struct.unpack('<Q', struct.pack('<d', float(x)))[0]:016x}"


def row(x, y):
    m, e = frexp(y)
    m, e = 2 * m, int(e) - 1
    hi = float(m)
    return f"    ({bits(x)}, ({bits(hi)}, {bits(m - mpf(hi))}, {e})),"


def table(name, function, points):
    print("#[rustfmt::skip]")
    print(f"pub const {name}: &[Row] = &[")
    for x in points:
        print(row(x, function(mpf(x))))
    print("];")


random.seed(1)
arguments = [5e-324, -5e-324, 1e-300, -1e-300, 0.5, -0.5, 1.0, 0.41, 0.42, -0.29, -0.3, 1.7e308, -1 + 2.0**-53]
arguments += [s * 10 ** random.uniform(-30, 0) for _ in range(30) for s in (1, -1)]
arguments += [random.uniform(-1, 1) for _ in range(30)]
arguments += [10 ** random.uniform(0, 308) for _ in range(30)]
turns = [1 / 3, 0.125, 0.375, 0.2, 1e-3, 0.25 + 2.0**-54, 0.25 - 2.0**-54, 0.75 + 1e-9, 1 - 2.0**-53]
turns += [random.random() for _ in range(50)]

print("// Printed by elementary.py. (x, (hi, lo, k)), the value (hi + lo)·2^k.")
print("pub type Row = (u64, (u64, u64, i32));")
table("LN_1P", log1p, arguments)
table("COSINE", lambda v: cospi(2 * v), turns)
