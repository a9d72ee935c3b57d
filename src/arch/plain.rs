//! Vectors where the compile target has none that the crate knows, and scalars: plain arrays.

use core::ops::{Add, Div, Mul, Sub};

#[cfg(bptt_cortex_m)]
use super::{Edge, Run};
use super::{Gates, Registers, Vector, Whole};
use crate::Real;
use crate::activation::{sigmoid_vector, tanh_vector};

/// L scalars side by side.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Plain<T, const L: usize>([T; L]);

/// Whether the compiler makes vector instructions of loops over arrays.
pub(super) const VECTORS: bool = cfg!(all(
    any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "loongarch64",
        target_arch = "powerpc64",
    ),
    not(bptt_backend = "scalars")
));

/// Whether the code is to be small: then the activations are calls.
const SMALL: bool = cfg!(bptt_small);

/// The sum of the lanes, by halves.
#[inline(always)]
pub(crate) fn sum<T: Real>(lanes: &[T]) -> T {
    match *lanes {
        [a] => a,
        [a, b] => a + b,
        [a, b, c, d] => (a + c) + (b + d),
        [
            s0,
            s1,
            s2,
            s3,
            s4,
            s5,
            s6,
            s7,
            s8,
            s9,
            s10,
            s11,
            s12,
            s13,
            s14,
            s15,
        ] => {
            let quarters = [
                (s0 + s8) + (s4 + s12),
                (s1 + s9) + (s5 + s13),
                (s2 + s10) + (s6 + s14),
                (s3 + s11) + (s7 + s15),
            ];
            (quarters[0] + quarters[2]) + (quarters[1] + quarters[3])
        }
        _ => T::ZERO, // No vector has another number of lanes.
    }
}

macro_rules! plain {
    ($float:ident, $bits:ident, $fraction:literal, $sqrt:path) => {
        plain!(operator $float, Add, add, +);
        plain!(operator $float, Sub, sub, -);
        plain!(operator $float, Mul, mul, *);
        plain!(operator $float, Div, div, /);

        impl<const L: usize> Plain<$float, L> {
            /// f of each lane, one after the other.
            #[inline(always)]
            fn map_lanes(self, f: impl Fn($float) -> $float) -> Self {
                let mut z = self.0;
                for z in &mut z {
                    *z = f(*z);
                }
                Plain(z)
            }
        }

        impl<const L: usize> Plain<$float, L> {
            /// [`Vector::four_sums`], one row after the other; not inlined, since it would take
            /// stack there that is seldom used.
            #[inline(never)]
            fn four_sums_by_row(
                z: &mut [[Self; 1]; 4],
                all: &[$float],
                apart: usize,
                rows: usize,
                i: usize,
                x: &[$float],
                a: &[$float],
            ) {
                for l in 0..L.min(rows - i) {
                    for (g, [z]) in z.iter_mut().enumerate() {
                        let gate = all.get(g * apart..).unwrap_or_default();
                        let from = |column: usize| gate.get(rows * column..).unwrap_or_default();
                        let b = from(a.len() + x.len());
                        let mut sum = [super::load::<Plain<$float, 1>, Whole, 1>(b, i + l, Whole)];
                        for (w, u) in [(from(a.len()), x), (gate, a)] {
                            sum = super::add_columns(sum, Gates::one(w), rows, i + l, u, Whole);
                        }
                        let [[sum]] = sum;
                        z.0[l] = sum.scalar();
                    }
                }
            }
        }

        impl Plain<$float, 1> {
            /// The scalar.
            #[inline(always)]
            pub(crate) fn scalar(self) -> $float {
                let [x] = self.0;
                x
            }
        }

        impl<const L: usize> Vector for Plain<$float, L> {
            type Scalar = $float;
            const LANES: usize = L;
            const REGISTERS: Registers = if VECTORS { Registers::Sixteen } else { Registers::Scalars };
            type Sixteen = Plain<$float, 16>;
            type Half = Plain<$float, 1>;

            #[inline(always)]
            fn splat(x: $float) -> Self {
                // `[x; L]` stays a loop even for one lane where the code is to be small.
                Plain([0.0 as $float; L]).map_lanes(|_| x)
            }
            #[inline(always)]
            unsafe fn read(from: *const $float) -> Self {
                // SAFETY: the caller's promise; an array is aligned as its scalars are.
                Plain(unsafe { *from.cast::<[$float; L]>() })
            }
            #[inline(always)]
            unsafe fn read_part(from: *const $float, n: usize) -> Self {
                let mut lanes = [0.0; L];
                for l in 0..L {
                    if l < n {
                        // SAFETY: the caller's promise.
                        lanes[l] = unsafe { *from.wrapping_add(l) };
                    }
                }
                Plain(lanes)
            }
            #[inline(always)]
            unsafe fn write(self, to: *mut $float) {
                // SAFETY: the caller's promise; an array is aligned as its scalars are.
                unsafe { *to.cast::<[$float; L]>() = self.0 }
            }
            #[inline(always)]
            unsafe fn write_part(self, to: *mut $float, n: usize) {
                for l in 0..L {
                    if l < n {
                        // SAFETY: the caller's promise.
                        unsafe { *to.wrapping_add(l) = self.0[l] }
                    }
                }
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.map_lanes($sqrt)
            }
            #[inline(always)]
            fn at_least(self, min: $float) -> Self {
                self.map_lanes(|x| if x < min { min } else { x })
            }
            #[inline(always)]
            fn at_most(self, max: $float) -> Self {
                self.map_lanes(|x| if x > max { max } else { x })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.map_lanes(|x| $float::from_bits(x.to_bits() & !(-0.0 as $float).to_bits()))
            }
            #[inline(always)]
            fn flush_as(self, y: Self) -> Self {
                const EXPONENT: $bits = $float::INFINITY.to_bits();
                let mut z = self.0;
                for l in 0..L {
                    z[l] = if y.0[l].to_bits() & EXPONENT == 0 { 0.0 } else { z[l] };
                }
                Plain(z)
            }
            #[inline(always)]
            fn with_sign_of(self, y: Self) -> Self {
                let mut z = self.0;
                for l in 0..L {
                    let sign = y.0[l].to_bits() & (-0.0 as $float).to_bits();
                    z[l] = $float::from_bits(z[l].to_bits() | sign);
                }
                Plain(z)
            }
            #[inline(always)]
            fn lowest_bits_to_exponent(self) -> Self {
                self.map_lanes(|x| $float::from_bits(x.to_bits() << $fraction))
            }
            #[inline(always)]
            fn halve_bits(self) -> Self {
                self.map_lanes(|x| $float::from_bits(x.to_bits() >> 1))
            }
            #[inline(always)]
            fn subtract_bits(self, other: Self) -> Self {
                let mut z = self.0;
                for l in 0..L {
                    z[l] = $float::from_bits(z[l].to_bits().wrapping_sub(other.0[l].to_bits()));
                }
                Plain(z)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                if VECTORS {
                    return sigmoid_vector(self);
                }
                self.map_lanes(|x| if SMALL { x.sigmoid() } else { sigmoid_vector(Plain([x])).scalar() })
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                if VECTORS {
                    return tanh_vector(self);
                }
                self.map_lanes(|x| if SMALL { x.tanh() } else { tanh_vector(Plain([x])).scalar() })
            }
            #[inline(always)]
            fn sum(self) -> $float {
                sum(&self.0)
            }
            #[inline(always)]
            fn four_sums(
                z: &mut [[Self; 1]; 4],
                gates: Gates<$float>,
                rows: usize,
                i: usize,
                x: &[$float],
                a: &[$float],
            ) {
                #[cfg(bptt_cortex_m)]
                if super::cortex_m::four_sums(z, gates, rows, i, x, a) {
                    return;
                }
                #[cfg(not(bptt_cortex_m))]
                if L == 1 || rows - i >= L {
                    *z = super::four_sums(gates, rows, i, x, a);
                    return;
                }
                Self::four_sums_by_row(z, gates.all, gates.apart, rows, i, x, a);
            }
            #[cfg(bptt_cortex_m)]
            #[inline(always)]
            fn add_to_three<E: Edge>(
                z: &mut [[Self; 1]; 3],
                w: Gates<$float>,
                rows: usize,
                i: usize,
                u: &[$float],
                edge: E,
            ) {
                if edge.lanes(L) != L || !super::cortex_m::add_to_three(z, w, rows, i, u) {
                    *z = super::add_columns(*z, w, rows, i, u, edge);
                }
            }
            #[cfg(bptt_cortex_m)]
            #[inline(always)]
            fn dots(
                w: Gates<$float>,
                dz: (Gates<$float>, usize),
                rows: usize,
                gates: usize,
                du: &mut [$float],
                add: bool,
            ) -> bool {
                super::cortex_m::dots(w, dz, rows, gates, du, add)
            }
            #[cfg(bptt_cortex_m)]
            #[inline(always)]
            fn outer(
                dw: &mut [$float],
                dz: Run<$float>,
                u: Run<$float>,
                count: usize,
            ) -> usize {
                super::cortex_m::outer(dw, dz, u, count)
            }
            #[inline(always)]
            fn lanes(&self) -> &[$float] {
                &self.0
            }
        }
    };
    (operator $float:ident, $trait:ident, $method:ident, $sign:tt) => {
        impl<const L: usize> $trait for Plain<$float, L> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                let mut z = self.0;
                for l in 0..L {
                    z[l] = z[l] $sign other.0[l];
                }
                Plain(z)
            }
        }
    };
}

plain!(f32, u32, 23, libm::sqrtf);
plain!(f64, u64, 52, libm::sqrt);
