//! The loops of (1) on a Cortex-M: without Thumb-2 (m0), with it (m3), with the DSP extension (m4).

use core::arch::asm;

use super::controller::Runs;
use crate::quantized::{RowScale, TABLE, Weight};

/// Eight rows of a column: weight \[column\]\[row\] without a sign, times the scalar of v in r6.
#[cfg(bptt_integers = "m0")]
macro_rules! column {
    ($load:literal, $size:literal, $c:literal) => {
        concat!(
            "movs r7, #2*", $c, "\n",
            "ldrsh r6, [r1, r7]\n",
            column!(@ $load, $size, $c, "0", "adds r2, r2, r7\n"),
            column!(@ $load, $size, $c, "1", "adds r3, r3, r7\n"),
            column!(@ $load, $size, $c, "2", "adds r4, r4, r7\n"),
            column!(@ $load, $size, $c, "3", "adds r5, r5, r7\n"),
            column!(@ $load, $size, $c, "4", "add r8, r8, r7\n"),
            column!(@ $load, $size, $c, "5", "add r9, r9, r7\n"),
            column!(@ $load, $size, $c, "6", "add r10, r10, r7\n"),
            column!(@ $load, $size, $c, "7", "add r11, r11, r7\n"),
        )
    };
    (@ $load:literal, $size:literal, $c:literal, $row:literal, $add:literal) => {
        concat!(
            $load, " r7, [r0, #(8*", $c, "+", $row, ")*", $size, "]\n",
            "muls r7, r6, r7\n",
            $add,
        )
    };
}

/// sum = sum·2^k + b + the start over a, for a sum in a lower register or, through r1, in a higher
/// one.
#[cfg(bptt_integers = "m0")]
macro_rules! join {
    (low $row:literal, $sum:literal) => {
        concat!(
            "ldrb r0, [r6, #4*", $row, "+3]\n",
            "lsls ", $sum, ", r0\n",
            "ldr r0, [r7, #4*", $row, "]\n",
            "adds ", $sum, ", ", $sum, ", r0\n",
            "add ", $sum, ", ", $sum, ", r12\n",
        )
    };
    (high $row:literal, $sum:literal) => {
        concat!("mov r1, ", $sum, "\n", join!(low $row, "r1"), "mov ", $sum, ", r1\n")
    };
}

/// r0 weights, r1 v, r2 to r5 and r8 to r11 the sums, r6 a scalar of v, r7 a weight; r12 where the
/// columns end that are taken four or one at a time. The sum of eight rows costs 25 instructions a
/// column.
#[cfg(bptt_integers = "m0")]
macro_rules! eight_rows {
    ($block:expr, $load:literal, $size:literal) => {
        asm!(
            "push {{r6, r7}}",
            "push {{r0}}",
            "2:", // A run: the sums over x.
            "ldr r7, [sp]",
            "ldr r2, [r7, #32]",
            "movs r3, r2",
            "movs r4, r2",
            "movs r5, r2",
            "mov r8, r2",
            "mov r9, r2",
            "mov r10, r2",
            "mov r11, r2",
            "bl 5f",
            "ldr r7, [sp]", // Joined with b.
            "ldr r6, [r7, #36]",
            "mov r12, r6",
            "ldr r6, [r7, #44]",
            "ldr r7, [r7, #40]",
            join!(low "0", "r2"),
            join!(low "1", "r3"),
            join!(low "2", "r4"),
            join!(low "3", "r5"),
            join!(high "4", "r8"),
            join!(high "5", "r9"),
            join!(high "6", "r10"),
            join!(high "7", "r11"),
            "ldr r7, [sp]", // Over a.
            "adds r7, #16",
            "bl 5f",
            "ldr r7, [sp]",
            "ldr r6, [r7, #48]",
            "stm r6!, {{r2, r3, r4, r5}}",
            "mov r2, r8",
            "mov r3, r9",
            "mov r4, r10",
            "mov r5, r11",
            "stm r6!, {{r2, r3, r4, r5}}",
            "str r6, [r7, #48]",
            "ldr r6, [r7, #40]",
            "adds r6, #32",
            "str r6, [r7, #40]",
            "ldr r6, [r7, #44]",
            "adds r6, #32",
            "str r6, [r7, #44]",
            "ldr r6, [r7, #52]",
            "subs r6, #1",
            "str r6, [r7, #52]",
            "beq 3f",
            "b 2b",
            "3:",
            "b 9f",
            "5:", // Adds W·v of the part in r7.
            "push {{r7, lr}}",
            "ldr r0, [r7]",
            "ldr r1, [r7, #4]",
            "ldr r6, [r7, #8]",
            "mov r12, r6",
            "b 7f",
            "6:",
            column!($load, $size, "0"),
            column!($load, $size, "1"),
            column!($load, $size, "2"),
            column!($load, $size, "3"),
            concat!("adds r0, #32*", $size),
            "adds r1, #8",
            "7:",
            "cmp r1, r12",
            "bne 6b",
            "ldr r7, [sp]",
            "ldr r6, [r7, #12]",
            "mov r12, r6",
            "b 8f",
            "4:",
            column!($load, $size, "0"),
            concat!("adds r0, #8*", $size),
            "adds r1, #2",
            "8:",
            "cmp r1, r12",
            "bne 4b",
            "pop {{r7}}",
            "str r0, [r7]", // Where the next run begins.
            "pop {{pc}}",
            "9:",
            "pop {{r0}}",
            "pop {{r6, r7}}",
            inout("r0") $block => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _, out("r12") _, out("lr") _,
        )
    };
}

/// Eight rows of a column.
#[cfg(bptt_integers = "m3")]
macro_rules! column {
    ($load:literal, $size:literal, $c:literal) => {
        concat!(
            "ldrsh r10, [r1], #2\n",
            column!(@ $load, $size, $c, "0", "r2"),
            column!(@ $load, $size, $c, "1", "r3"),
            column!(@ $load, $size, $c, "2", "r4"),
            column!(@ $load, $size, $c, "3", "r5"),
            column!(@ $load, $size, $c, "4", "r6"),
            column!(@ $load, $size, $c, "5", "r7"),
            column!(@ $load, $size, $c, "6", "r8"),
            column!(@ $load, $size, $c, "7", "r9"),
        )
    };
    (@ $load:literal, $size:literal, $c:literal, $row:literal, $sum:literal) => {
        concat!(
            $load, " r11, [r0, #(8*", $c, "+", $row, ")*", $size, "]\n",
            "mla ", $sum, ", r11, r10, ", $sum, "\n",
        )
    };
}

/// sum = sum·2^k + b, `$b` and `$scale` pointing to the b and the scales of the run; r10 and r11 are
/// lost.
#[cfg(not(bptt_integers = "m0"))]
macro_rules! join {
    ($row:literal, $sum:literal, $b:literal, $scale:literal) => {
        concat!(
            "ldrb r10, [",
            $scale,
            ", #4*",
            $row,
            "]\n",
            "and r10, r10, #15\n",
            "lsl ",
            $sum,
            ", ",
            $sum,
            ", r10\n",
            "ldr r11, [",
            $b,
            ", #4*",
            $row,
            "]\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r11\n",
        )
    };
}

/// r0 weights, r1 v, r2 to r9 the sums, r10 a scalar of v, r11 a weight; r12 where the columns end
/// that are taken four at a time, lr where all end. The sum of eight rows costs 17 instructions a
/// column.
#[cfg(bptt_integers = "m3")]
macro_rules! eight_rows {
    ($block:expr, $load:literal, $size:literal) => {
        asm!(
            "push {{r0, r6, r7, r11}}",
            "2:", // A run: the sums over x.
            "movs r2, #0",
            "movs r3, #0",
            "movs r4, #0",
            "movs r5, #0",
            "movs r6, #0",
            "movs r7, #0",
            "mov r8, #0",
            "mov r9, #0",
            "bl 5f",
            "ldr r10, [sp]", // Joined with b.
            "ldrd r0, r1, [r10, #40]",
            join!("0", "r2", "r0", "r1"),
            join!("1", "r3", "r0", "r1"),
            join!("2", "r4", "r0", "r1"),
            join!("3", "r5", "r0", "r1"),
            join!("4", "r6", "r0", "r1"),
            join!("5", "r7", "r0", "r1"),
            join!("6", "r8", "r0", "r1"),
            join!("7", "r9", "r0", "r1"),
            "add r0, r0, #32",
            "add r1, r1, #32",
            "ldr r10, [sp]",
            "strd r0, r1, [r10, #40]",
            "add r0, r10, #16",
            "bl 5f", // Over a.
            "ldr r0, [sp]",
            "ldrd r10, r11, [r0, #48]",
            "stm r10!, {{r2-r9}}",
            "subs r11, r11, #1",
            "strd r10, r11, [r0, #48]",
            "bne 2b",
            "b 9f",
            "5:", // Adds W·v of the part in r0.
            "push {{r0, lr}}",
            "ldrd r12, lr, [r0, #8]",
            "ldrd r0, r1, [r0]",
            "b 7f",
            "6:",
            column!($load, $size, "0"),
            column!($load, $size, "1"),
            column!($load, $size, "2"),
            column!($load, $size, "3"),
            concat!("add r0, r0, #32*", $size),
            "7:",
            "cmp r1, r12",
            "bne 6b",
            "b 8f",
            "4:",
            column!($load, $size, "0"),
            concat!("add r0, r0, #8*", $size),
            "8:",
            "cmp r1, lr",
            "bne 4b",
            "pop {{r10, lr}}",
            "str r0, [r10]", // Where the next run begins.
            "bx lr",
            "9:",
            "pop {{r0, r6, r7, r11}}",
            inout("r0") $block => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _,
            out("r8") _, out("r9") _, out("r10") _, out("r12") _, out("lr") _,
        )
    };
}

/// The walk of runs of four rows; `start` zeroes what `four`, `two` and `one` column add to, `sums`
/// leaves the sums of the rows in these registers. r0 weights, r1 v, r8 to r11 weights, r12 scalars
/// of v, lr where the columns end.
#[cfg(bptt_integers = "m4")]
macro_rules! four_rows {
    (
        $block:expr, start $start:expr, four $four:expr, two $two:expr, one $one:expr,
        sums $sums:expr, [$r0:literal, $r1:literal, $r2:literal, $r3:literal]
    ) => {
        asm!(
            "push {{r0, r6, r7, r11}}",
            "2:", // A run: the sums over x.
            $start,
            "bl 5f",
            $sums,
            "ldr r0, [sp]", // Joined with b.
            "ldrd r8, r9, [r0, #40]",
            "ldr r12, [r0, #48]",
            join!("0", $r0, "r8", "r9"),
            join!("1", $r1, "r8", "r9"),
            join!("2", $r2, "r8", "r9"),
            join!("3", $r3, "r8", "r9"),
            concat!("strd ", $r0, ", ", $r1, ", [r12]"),
            concat!("strd ", $r2, ", ", $r3, ", [r12, #8]"),
            "add r8, r8, #16",
            "add r9, r9, #16",
            "strd r8, r9, [r0, #40]",
            $start,
            "add r0, r0, #16",
            "bl 5f", // Over a.
            $sums,
            "ldr r0, [sp]",
            "ldr r12, [r0, #48]",
            "ldm r12, {{r8, r9, r10, r11}}",
            concat!("add r8, r8, ", $r0),
            concat!("add r9, r9, ", $r1),
            concat!("add r10, r10, ", $r2),
            concat!("add r11, r11, ", $r3),
            "stm r12!, {{r8, r9, r10, r11}}",
            "ldr r1, [r0, #52]",
            "subs r1, r1, #1",
            "strd r12, r1, [r0, #48]",
            "bne 2b",
            "b 9f",
            "5:", // Adds W·v of the part in r0.
            "push {{r0, lr}}",
            "ldr lr, [r0, #8]",
            "ldrd r0, r1, [r0]",
            "cmp r1, lr",
            "beq 7f",
            "6:",
            $four,
            "cmp r1, lr",
            "bne 6b",
            "7:",
            "ldr r12, [sp]",
            "ldr lr, [r12, #12]",
            "sub lr, lr, r1",
            "tst lr, #4",
            "beq 4f",
            $two,
            "4:",
            "tst lr, #2",
            "beq 8f",
            $one,
            "8:",
            "pop {{r12, lr}}",
            "str r0, [r12]", // Where the next run begins.
            "bx lr",
            "9:",
            "pop {{r0, r6, r7, r11}}",
            inout("r0") $block => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _,
            out("r8") _, out("r9") _, out("r10") _, out("r12") _, out("lr") _,
        )
    };
}

/// Two columns of two pairs of rows, 256·odd + even each: `smlald` sums up both at once in 64 bits,
/// `smlad` the even one.
#[cfg(bptt_integers = "m4")]
macro_rules! pairs {
    ($first:literal, $second:literal) => {
        concat!(
            "ldr r12, [r1], #4\n",
            "smlald r4, r5, ",
            $first,
            ", r12\n",
            "sxtb16 ",
            $first,
            ", ",
            $first,
            "\n",
            "smlad r2, ",
            $first,
            ", r12, r2\n",
            "smlald r6, r7, ",
            $second,
            ", r12\n",
            "sxtb16 ",
            $second,
            ", ",
            $second,
            "\n",
            "smlad r3, ",
            $second,
            ", r12, r3\n",
        )
    };
}

/// Two columns of four rows.
#[cfg(bptt_integers = "m4")]
macro_rules! columns {
    () => {
        concat!(
            "ldm r0!, {{r8, r9, r10, r11}}\n",
            "ldr r12, [r1], #4\n",
            "smlad r2, r8, r12, r2\n",
            "smlad r3, r9, r12, r3\n",
            "smlad r4, r10, r12, r4\n",
            "smlad r5, r11, r12, r5\n",
        )
    };
}

/// A column of two pairs of rows.
#[cfg(bptt_integers = "m4")]
macro_rules! pair {
    () => {
        concat!(
            "ldr r8, [r0], #4\n",
            "ldrsh r12, [r1], #2\n",
            "sxth r9, r8\n",
            "smlal r4, r5, r9, r12\n",
            "sxtb r9, r8\n",
            "mla r2, r9, r12, r2\n",
            "asr r9, r8, #16\n",
            "smlal r6, r7, r9, r12\n",
            "sxtb r9, r8, ror #16\n",
            "mla r3, r9, r12, r3\n",
        )
    };
}

/// The odd sums, in r4 and r6: (256·odd + even − even) / 256.
#[cfg(bptt_integers = "m4")]
macro_rules! odd {
    () => {
        concat!(
            "subs r4, r4, r2\n",
            "sbc r5, r5, r2, asr #31\n",
            "lsr r4, r4, #8\n",
            "orr r4, r4, r5, lsl #24\n",
            "subs r6, r6, r3\n",
            "sbc r7, r7, r3, asr #31\n",
            "lsr r6, r6, #8\n",
            "orr r6, r6, r7, lsl #24\n",
        )
    };
}

/// A column of four rows.
#[cfg(bptt_integers = "m4")]
macro_rules! column {
    () => {
        concat!(
            "ldrsh r12, [r1], #2\n",
            "ldrsh r8, [r0], #2\n",
            "ldrsh r9, [r0], #2\n",
            "ldrsh r10, [r0], #2\n",
            "ldrsh r11, [r0], #2\n",
            "mla r2, r8, r12, r2\n",
            "mla r3, r9, r12, r3\n",
            "mla r4, r10, r12, r4\n",
            "mla r5, r11, r12, r5\n",
        )
    };
}

#[cfg(bptt_integers = "m4")]
pub(super) use {column, columns, odd, pair, pairs};

/// Weights of 8 bits: r2 and r3 the even sums, r4:r5 and r6:r7 256·odd + even. 15 instructions for
/// four columns of four rows.
#[cfg(bptt_integers = "m4")]
macro_rules! eight_bits {
    ($block:expr) => {
        four_rows!(
            $block,
            start "movs r2, #0\nmovs r3, #0\nmovs r4, #0\nmovs r5, #0\nmovs r6, #0\nmovs r7, #0",
            four concat!("ldm r0!, {{r8, r9, r10, r11}}\n", pairs!("r8", "r9"), pairs!("r10", "r11")),
            two concat!("ldm r0!, {{r8, r9}}\n", pairs!("r8", "r9")),
            one pair!(),
            sums odd!(),
            ["r2", "r4", "r3", "r6"]
        )
    };
}

/// Weights of 16 bits: r2 to r5 the sums. 12 instructions for four columns of four rows.
#[cfg(bptt_integers = "m4")]
macro_rules! sixteen_bits {
    ($block:expr) => {
        four_rows!(
            $block,
            start "movs r2, #0\nmovs r3, #0\nmovs r4, #0\nmovs r5, #0",
            four concat!(columns!(), columns!()),
            two columns!(),
            one column!(),
            sums "",
            ["r2", "r3", "r4", "r5"]
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
    #[cfg(bptt_integers = "m0")]
    // SAFETY: of the block all is as the caller says; r6 and r7 are as they were in the end.
    unsafe {
        if W::BITS == 8 {
            eight_rows!(block, "ldrb", "1")
        } else {
            eight_rows!(block, "ldrh", "2")
        }
    }
    #[cfg(bptt_integers = "m3")]
    // SAFETY: of the block all is as the caller says; r6, r7 and r11 are as they were in the end.
    unsafe {
        if W::BITS == 8 {
            eight_rows!(block, "ldrsb", "1")
        } else {
            eight_rows!(block, "ldrsh", "2")
        }
    }
    #[cfg(bptt_integers = "m4")]
    // SAFETY: of the block all is as the caller says, and its weights stand at a multiple of four
    // bytes, as `Packed` and each of its runs do; r6, r7 and r11 are as they were in the end.
    unsafe {
        if W::BITS == 8 {
            eight_bits!(block)
        } else {
            sixteen_bits!(block)
        }
    }
}

/// z + 11 of the sum in `$z`, in its place; `$scale` is the scale and is lost, r12 is 11.
#[cfg(bptt_integers = "m3")]
macro_rules! z {
    ($z:literal, $scale:literal) => {
        concat!(
            "smull ", $scale, ", ", $z, ", ", $z, ", ", $scale, "\n", "add ", $z, ", ", $z,
            ", r12\n",
        )
    };
}
/// As above.
#[cfg(bptt_integers = "m4")]
macro_rules! z {
    ($z:literal, $scale:literal) => {
        concat!("smmla ", $z, ", ", $z, ", ", $scale, ", r12\n")
    };
}

/// σ of the sum in `$z`, with the scale in `$scale`, in the place of the scale; beyond the table at
/// `$beyond`. r3 is the table; `$z` and lr are lost.
#[cfg(not(bptt_integers = "m0"))]
macro_rules! sigmoid {
    ($z:literal, $scale:literal, $beyond:literal, $back:literal) => {
        concat!(
            "bic ",
            $scale,
            ", ",
            $scale,
            ", #15\n",
            z!($z, $scale),
            "cmp ",
            $z,
            ", #0x160000\n",
            "bhs ",
            $beyond,
            "f\n",
            "lsr ",
            $scale,
            ", ",
            $z,
            ", #12\n", // The segment.
            "ldr ",
            $scale,
            ", [r3, ",
            $scale,
            ", lsl #2]\n",
            "lsl lr, ",
            $scale,
            ", #16\n",
            "lsl ",
            $z,
            ", ",
            $z,
            ", #20\n",
            // The product has nothing below 2³⁶, so that what is below carries nothing.
            "umlal ",
            $z,
            ", ",
            $scale,
            ", lr, ",
            $z,
            "\n",
            $back,
            ":\n",
            "lsr ",
            $scale,
            ", ",
            $scale,
            ", #16\n",
        )
    };
}

/// 0 below the table and 65535 above.
#[cfg(not(bptt_integers = "m0"))]
macro_rules! beyond {
    ($z:literal, $scale:literal, $beyond:literal, $back:literal) => {
        concat!(
            $beyond,
            ":\nmvn ",
            $scale,
            ", ",
            $z,
            ", asr #31\nb ",
            $back,
            "b\n"
        )
    };
}

/// σ(z) of each sum, by equation (1) of the table: `sigmoid`, in assembly.
///
/// # Safety
/// There is a scale for each sum.
#[cfg(not(bptt_integers = "m0"))]
#[inline(never)]
pub(super) unsafe fn sigmoids(sums: &mut [i32], scale: *const RowScale) {
    let sums = sums.as_mut_ptr_range();
    // SAFETY: each sum is read and written, and its scale read. Of the table the entry is read whose
    // number is less than 352. r6, r7 and r11 are as they were in the end.
    unsafe {
        asm!(
            "push {{r6, r7, r11}}",
            "b 3f",
            "2:", // Four at a time.
            "ldm r0, {{r4, r5, r6, r7}}",
            "ldm r1!, {{r8, r9, r10, r11}}",
            sigmoid!("r4", "r8", "20", "30"),
            sigmoid!("r5", "r9", "21", "31"),
            sigmoid!("r6", "r10", "22", "32"),
            sigmoid!("r7", "r11", "23", "33"),
            "stm r0!, {{r8, r9, r10, r11}}",
            "3:",
            "sub lr, r2, r0",
            "cmp lr, #16",
            "bhs 2b",
            "b 5f",
            "4:", // One at a time.
            "ldr r4, [r0]",
            "ldr r8, [r1], #4",
            sigmoid!("r4", "r8", "24", "34"),
            "str r8, [r0], #4",
            "5:",
            "cmp r0, r2",
            "bne 4b",
            "b 6f",
            beyond!("r4", "r8", "20", "30"),
            beyond!("r5", "r9", "21", "31"),
            beyond!("r6", "r10", "22", "32"),
            beyond!("r7", "r11", "23", "33"),
            beyond!("r4", "r8", "24", "34"),
            "6:",
            "pop {{r6, r7, r11}}",
            inout("r0") sums.start => _,
            inout("r1") scale => _,
            in("r2") sums.end,
            in("r3") TABLE.as_ptr(),
            in("r12") 11 << 16,
            out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _, out("lr") _,
        )
    }
}

/// r12 becomes 11 and r11 the number of segments of the table; r4 is lost.
#[cfg(bptt_integers = "m0")]
macro_rules! numbers {
    () => {
        "movs r4, #11
        lsls r4, r4, #5
        mov r11, r4
        lsls r4, r4, #11
        mov r12, r4"
    };
}

/// z + 11 of the sum at r0, with the scale at r1, in r4; r12 is 11, r5 and r6 are lost. z is the sum
/// of the products of both halves of a sum with m.
#[cfg(bptt_integers = "m0")]
macro_rules! z {
    () => {
        "ldr r4, [r0]
        ldrh r5, [r1] // m
        asrs r6, r4, #16
        muls r6, r5, r6
        uxth r4, r4
        muls r4, r5, r4
        lsrs r4, r4, #16
        adds r4, r4, r6
        ldrb r5, [r1, #2] // s
        asrs r4, r5
        add r4, r12"
    };
}

/// σ of z + 11 in r4, in its place; beyond the table at `$beyond`. r3 is the table, r11 the number of
/// its segments; r5 and r6 are lost.
#[cfg(bptt_integers = "m0")]
macro_rules! look {
    ($beyond:literal) => {
        concat!(
            "lsrs r5, r4, #12 // The segment.
            cmp r5, r11
            bhs ",
            $beyond,
            "f
            lsls r5, r5, #2
            ldr r5, [r3, r5]
            lsls r4, r4, #20
            lsrs r4, r4, #16
            uxth r6, r5
            muls r4, r6, r4
            adds r4, r4, r5
            lsrs r4, r4, #16"
        )
    };
}

/// 0 below the table and 65535 above, of z + 11.
#[cfg(bptt_integers = "m0")]
macro_rules! beyond {
    () => {
        "asrs r4, r4, #31
        mvns r4, r4
        lsrs r4, r4, #16"
    };
}

/// σ(z) of each sum, by equation (1) of the table: `sigmoid`, in assembly.
///
/// # Safety
/// There is a scale for each sum.
#[cfg(bptt_integers = "m0")]
#[inline(never)]
pub(super) unsafe fn sigmoids(sums: &mut [i32], scale: *const RowScale) {
    let sums = sums.as_mut_ptr_range();
    // SAFETY: each sum is read and written, and its scale read. Of the table the entry is read whose
    // number is less than 352. r6 is as it was in the end.
    unsafe {
        asm!(
            "push {{r6}}",
            numbers!(),
            "b 4f",
            "2:",
            z!(),
            look!("5"),
            "3:",
            "stm r0!, {{r4}}",
            "adds r1, #4",
            "4:",
            "cmp r0, r2",
            "bne 2b",
            "b 6f",
            "5:",
            beyond!(),
            "b 3b",
            "6:",
            "pop {{r6}}",
            inout("r0") sums.start => _,
            inout("r1") scale => _,
            in("r2") sums.end,
            in("r3") TABLE.as_ptr(),
            out("r4") _, out("r5") _, out("r11") _, out("r12") _,
        )
    }
}

/// (5) to (10) for the units of a block, from the sums of the gates f, i, g, o: `lstm_unit` of each
/// unit, in assembly.
///
/// # Safety
/// There are four sums and four scales, c before and c for each of `a`.
#[cfg(bptt_integers = "m0")]
#[inline(never)]
pub(super) unsafe fn lstm_units(
    sums: &[i32],
    scale: &[RowScale],
    c_prev: &[i32],
    a: &mut [i16],
    c: &mut [i32],
) {
    // SAFETY: of each unit four sums and four scales are read, c before is read, c and a are written.
    // Of the table the entry is read whose number is less than 352. r6 and r7 are as they were in the
    // end. r0 is at a sum, r1 at its scale, r2 at c before, r7 at c; r8 takes r0 and r1 to the next
    // gate, r10 is −1. On the stack: a, where c ends, and what takes r0 and r1 to the next unit.
    unsafe {
        asm!(
            "push {{r6, r7}}",
            "movs r7, r3",
            "mov r8, r5",
            "lsls r6, r5, #2",
            "rsbs r6, r6, #0",
            "adds r6, #4",
            "adds r5, r5, r7",
            "push {{r4, r5, r6}}",
            "ldr r3, 1f",
            numbers!(),
            "movs r4, #1",
            "lsls r4, r4, #15",
            "rsbs r4, r4, #0",
            "mov r10, r4",
            "b 4f",
            ".p2align 2",
            "1: .word {table}",
            "2:", // f·c
            "bl 5f",
            "lsrs r4, r4, #1",
            "ldm r2!, {{r5}}",
            "asrs r6, r5, #15",
            "muls r6, r4, r6",
            "lsls r5, r5, #17",
            "lsrs r5, r5, #17",
            "muls r5, r4, r5",
            "lsrs r5, r5, #15",
            "adds r5, r5, r6",
            "mov r9, r5",
            "bl 5f", // i·g
            "lsrs r4, r4, #1",
            "push {{r4}}",
            "bl 5f",
            "pop {{r5}}",
            "add r4, r10",
            "muls r4, r5, r4",
            "asrs r4, r4, #10",
            "add r4, r9",
            "stm r7!, {{r4}}",
            "asrs r4, r4, #3", // tanh c
            "add r4, r12",
            look!("7"),
            "3:",
            "add r4, r10",
            "mov r9, r4",
            "bl 5f", // o·tanh c
            "lsrs r4, r4, #1",
            "mov r5, r9",
            "muls r4, r5, r4",
            "asrs r4, r4, #14",
            "adds r4, #1",
            "asrs r4, r4, #1",
            "ldr r5, [sp]",
            "strh r4, [r5]",
            "adds r5, #2",
            "str r5, [sp]",
            "ldr r5, [sp, #8]",
            "adds r0, r0, r5",
            "adds r1, r1, r5",
            "4:",
            "ldr r5, [sp, #4]",
            "cmp r7, r5",
            "bne 2b",
            "b 9f",
            "5:", // σ of the sum at r0, in r4; on to the next gate.
            z!(),
            "add r0, r8",
            "add r1, r8",
            look!("6"),
            "bx lr",
            "6:",
            beyond!(),
            "bx lr",
            "7:", // Where c is beyond the table it may be beyond ±32.
            beyond!(),
            "subs r7, #4",
            "ldr r5, [r7]",
            "asrs r6, r5, #25", // 0 or −1 where it is not.
            "adds r6, #1",
            "lsrs r6, r6, #1",
            "beq 8f",
            "asrs r5, r5, #31",
            "movs r6, #1",
            "lsls r6, r6, #25",
            "eors r6, r5",
            "subs r5, r6, r5",
            "8:",
            "stm r7!, {{r5}}",
            "b 3b",
            "9:",
            "add sp, #12",
            "pop {{r6, r7}}",
            table = sym TABLE,
            inout("r0") sums.as_ptr() => _,
            inout("r1") scale.as_ptr() => _,
            inout("r2") c_prev.as_ptr() => _,
            inout("r3") c.as_mut_ptr() => _,
            inout("r4") a.as_mut_ptr() => _,
            inout("r5") 4 * a.len() => _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _, out("r12") _, out("lr") _,
        )
    }
}
