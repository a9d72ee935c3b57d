//! What the written vectors of all instruction sets have in common: one register as a struct, and
//! an intrinsic for each operation.
//!
//! Intrinsics are `unsafe` to call, or not, depending on the version of the language. A call is
//! sound since a vector's type is named only where the processor has its instructions.

/// + − × ÷
macro_rules! operators {
    ($name:ident, $($trait:ident $method:ident $intrinsic:ident),+ $(,)?) => {
        $(
            #[allow(unused_unsafe)] // See above.
            impl $trait for $name {
                type Output = Self;
                #[inline(always)]
                fn $method(self, other: Self) -> Self {
                    // SAFETY: this type is named only where the processor has the instructions.
                    $name(unsafe { $intrinsic(self.0, other.0) })
                }
            }
        )+
    };
}

/// The functions of `Vector` that are one call in every instruction set.
macro_rules! calls {
    (
        $name:ident, $float:ident, splat $splat:ident, sqrt $sqrt:ident,
        read_part $read_part:ident, write_part $write_part:ident, sum $sum:ident, sums $sums:ident
    ) => {
        #[inline(always)]
        fn splat(x: $float) -> Self {
            // SAFETY: this type is named only where the processor has the instructions.
            $name(unsafe { $splat(x) })
        }
        #[inline(always)]
        unsafe fn read_part(from: *const $float, n: usize) -> Self {
            // SAFETY: the caller's promise.
            $name(unsafe { $read_part(from, n) })
        }
        #[inline(always)]
        unsafe fn write_part(self, to: *mut $float, n: usize) {
            // SAFETY: the caller's promise.
            unsafe { $write_part(to, n, self.0) }
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            // SAFETY: as for `splat`.
            $name(unsafe { $sqrt(self.0) })
        }
        #[inline(always)]
        fn sum(self) -> $float {
            // SAFETY: as for `splat`.
            unsafe { $sum(self.0) }
        }
        #[inline(always)]
        fn sums(of: [Self; 4]) -> [$float; 4] {
            let [a, b, c, d] = of;
            // SAFETY: as for `splat`.
            unsafe { $sums(a.0, b.0, c.0, d.0) }
        }
    };
}

/// The functions on bits, where registers of integers have a type of their own.
#[cfg(not(bptt_baseline = "simd128"))]
macro_rules! bits {
    (
        $name:ident, to_bits $to_bits:ident, from_bits $from_bits:ident,
        left $left:path, right $right:path, sub_bits $sub_bits:ident
    ) => {
        #[inline(always)]
        fn lowest_bits_to_exponent(self) -> Self {
            // SAFETY: as for `splat`.
            $name(unsafe { $from_bits($left($to_bits(self.0))) })
        }
        #[inline(always)]
        fn halve_bits(self) -> Self {
            // SAFETY: as for `splat`.
            $name(unsafe { $from_bits($right($to_bits(self.0))) })
        }
        #[inline(always)]
        fn subtract_bits(self, other: Self) -> Self {
            // SAFETY: as for `splat`.
            $name(unsafe { $from_bits($sub_bits($to_bits(self.0), $to_bits(other.0))) })
        }
    };
}
