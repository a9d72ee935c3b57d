//! The loops of (1) on a RISC-V of 32 bits that multiplies.

use core::arch::asm;

use super::controller::Runs;
use crate::quantized::Weight;

/// Eight rows of a column.
macro_rules! column {
    ($load:literal, $size:literal, $c:literal) => {
        concat!(
            "lh a5, 2*", $c, "(a2)\n",
            column!(@ $load, $size, $c, "0", "t1"),
            column!(@ $load, $size, $c, "1", "t2"),
            column!(@ $load, $size, $c, "2", "t3"),
            column!(@ $load, $size, $c, "3", "t4"),
            column!(@ $load, $size, $c, "4", "t5"),
            column!(@ $load, $size, $c, "5", "t6"),
            column!(@ $load, $size, $c, "6", "a6"),
            column!(@ $load, $size, $c, "7", "a7"),
        )
    };
    (@ $load:literal, $size:literal, $c:literal, $row:literal, $sum:literal) => {
        concat!(
            $load, " s2, (8*", $c, "+", $row, ")*", $size, "(a1)\n",
            "mul s2, s2, a5\n",
            "add ", $sum, ", ", $sum, ", s2\n",
        )
    };
}

/// sum = sum·2^k + b
macro_rules! join {
    ($row:literal, $sum:literal) => {
        concat!(
            "lw a1, 4*",
            $row,
            "(a4)\n",
            "andi a1, a1, 15\n",
            "sll ",
            $sum,
            ", ",
            $sum,
            ", a1\n",
            "lw a2, 4*",
            $row,
            "(a3)\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", a2\n",
        )
    };
}

/// a0 the block, a1 weights, a2 v, a3 where the columns end that are taken four at a time, a4 where
/// all end, a5 a scalar of v, s2 a weight, t1 to t6, a6 and a7 the sums. The sum of eight rows costs
/// 25 instructions a column.
macro_rules! eight_rows {
    ($block:expr, $load:literal, $size:literal) => {
        asm!(
            "lw s3, 52(a0)",
            "2:", // A run: the sums over x.
            "li t1, 0",
            "li t2, 0",
            "li t3, 0",
            "li t4, 0",
            "li t5, 0",
            "li t6, 0",
            "li a6, 0",
            "li a7, 0",
            "jal t0, 5f",
            "lw a3, 40(a0)", // Joined with b.
            "lw a4, 44(a0)",
            join!("0", "t1"),
            join!("1", "t2"),
            join!("2", "t3"),
            join!("3", "t4"),
            join!("4", "t5"),
            join!("5", "t6"),
            join!("6", "a6"),
            join!("7", "a7"),
            "addi a3, a3, 32",
            "addi a4, a4, 32",
            "sw a3, 40(a0)",
            "sw a4, 44(a0)",
            "addi a0, a0, 16",
            "jal t0, 5f", // Over a.
            "addi a0, a0, -16",
            "lw a1, 48(a0)",
            "sw t1, 0(a1)",
            "sw t2, 4(a1)",
            "sw t3, 8(a1)",
            "sw t4, 12(a1)",
            "sw t5, 16(a1)",
            "sw t6, 20(a1)",
            "sw a6, 24(a1)",
            "sw a7, 28(a1)",
            "addi a1, a1, 32",
            "sw a1, 48(a0)",
            "addi s3, s3, -1",
            "bnez s3, 2b",
            "j 9f",
            "5:", // Adds W·v of the part in a0.
            "lw a1, 0(a0)",
            "lw a2, 4(a0)",
            "lw a3, 8(a0)",
            "lw a4, 12(a0)",
            "beq a2, a3, 7f",
            "6:",
            column!($load, $size, "0"),
            column!($load, $size, "1"),
            column!($load, $size, "2"),
            column!($load, $size, "3"),
            concat!("addi a1, a1, 32*", $size),
            "addi a2, a2, 8",
            "bne a2, a3, 6b",
            "7:",
            "beq a2, a4, 8f",
            "4:",
            column!($load, $size, "0"),
            concat!("addi a1, a1, 8*", $size),
            "addi a2, a2, 2",
            "bne a2, a4, 4b",
            "8:",
            "sw a1, 0(a0)", // Where the next run begins.
            "jr t0",
            "9:",
            inout("a0") $block => _,
            out("a1") _, out("a2") _, out("a3") _, out("a4") _, out("a5") _, out("a6") _,
            out("a7") _, out("t0") _, out("t1") _, out("t2") _, out("t3") _, out("t4") _,
            out("t5") _, out("t6") _, out("s2") _, out("s3") _,
            options(nostack),
        )
    };
}

/// (1) for runs of rows.
///
/// # Safety
/// Each of the runs has its sums, biases and scales, and its weights for each scalar of both vectors.
#[inline(never)]
pub(super) unsafe fn runs<W: Weight>(block: &mut Runs<W>) {
    let block: *mut Runs<W> = block;
    // SAFETY: of the block all is as the caller says.
    unsafe {
        if W::BITS == 8 {
            eight_rows!(block, "lb", "1")
        } else {
            eight_rows!(block, "lh", "2")
        }
    }
}
