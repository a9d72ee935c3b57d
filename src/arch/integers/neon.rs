//! The vectors of NEON.

use core::arch::aarch64::*;

use super::lanes::{self, Lanes};
use crate::quantized::Weight;

/// 8 lanes in two registers, as many as 8 weights of 8 bits fill.
#[derive(Clone, Copy)]
pub(crate) struct I32x8(int32x4_t, int32x4_t);

impl Lanes for I32x8 {
    const LANES: usize = 8;
    /// A multiply-add widens; it needs no pairs.
    const COLUMNS: usize = 1;

    #[inline(always)]
    unsafe fn read(from: *const i32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { I32x8(vld1q_s32(from), vld1q_s32(from.wrapping_add(4))) }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe {
            vst1q_s32(to, self.0);
            vst1q_s32(to.wrapping_add(4), self.1);
        }
    }
    #[inline(always)]
    unsafe fn add<W: Weight>(self, _columns: usize, w: *const W, v: *const i16) -> Self {
        // SAFETY: the caller's promise: 8 weights and one column.
        unsafe {
            let w = match W::BITS {
                8 => vmovl_s8(vld1_s8(w.cast())),
                _ => vld1q_s16(w.cast()),
            };
            let v = vdupq_n_s16(*v);
            I32x8(
                vmlal_s16(self.0, vget_low_s16(w), vget_low_s16(v)),
                vmlal_high_s16(self.1, w, v),
            )
        }
    }
    #[inline(never)]
    fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
        lanes::add::<Self, W>(sums, w, v);
    }
}
