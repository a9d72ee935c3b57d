//! The vectors of WebAssembly's 128-bit SIMD.

use core::arch::wasm32::*;

use super::lanes::{self, Lanes};
use crate::quantized::Weight;

/// 4 lanes.
#[derive(Clone, Copy)]
pub(crate) struct I32x4(v128);

impl Lanes for I32x4 {
    const LANES: usize = 4;
    const COLUMNS: usize = 2;

    #[inline(always)]
    unsafe fn read(from: *const i32) -> Self {
        // SAFETY: the caller's promise; WebAssembly reads from any address.
        I32x4(unsafe { v128_load(from.cast()) })
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut i32) {
        // SAFETY: as for `read`.
        unsafe { v128_store(to.cast(), self.0) }
    }
    #[inline(always)]
    #[allow(unused_unsafe)] // Intrinsics are `unsafe` to call depending on the language's version.
    unsafe fn add<W: Weight>(self, columns: usize, w: *const W, v: *const i16) -> Self {
        // SAFETY: the caller's promise: 4 weights a column.
        unsafe {
            let products = match columns {
                2 => {
                    let w = match W::BITS {
                        8 => i16x8_load_extend_i8x8(w.cast()),
                        _ => v128_load(w.cast()),
                    };
                    i32x4_dot_i16x8(w, i32x4_splat(v.cast::<i32>().read_unaligned()))
                }
                _ => {
                    let w = match W::BITS {
                        8 => i16x8_extend_low_i8x16(v128_load32_zero(w.cast())),
                        _ => v128_load64_zero(w.cast()),
                    };
                    i32x4_mul(i32x4_extend_low_i16x8(w), i32x4_splat(i32::from(*v)))
                }
            };
            I32x4(i32x4_add(self.0, products))
        }
    }
    #[inline(never)]
    fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
        lanes::add::<Self, W>(sums, w, v);
    }
}
