//! A step of an LSTM on a Cortex-M with the DSP extension, unit by unit: the four rows of a unit
//! stand in one run, their sums and what becomes of them stay in registers.

use core::arch::asm;

use super::controller::Units;
use super::thumb::{column, columns, odd, pair, pairs};
use crate::quantized::Weight;

/// Adds W·v to the sums, columns in turn four, two and one at a time; afterwards r12 points to the
/// block. r0 weights, r1 v, r8 to r11 weights, r12 scalars of v, lr where the columns end.
macro_rules! walk {
    ($part:literal, four $four:expr, two $two:expr, one $one:expr, $labels:tt) => {
        walk!(@ $part, $four, $two, $one, $labels)
    };
    (@ $part:literal, $four:expr, $two:expr, $one:expr, [$loop:literal, $tail:literal, $next:literal, $end:literal]) => {
        concat!(
            "ldrd r0, r1, [r12, #", $part, "]\n",
            "ldr lr, [r12, #", $part, " + 8]\n",
            "cmp r1, lr\n",
            "beq ", $tail, "f\n",
            $loop, ":\n",
            $four,
            "cmp r1, lr\n",
            "bne ", $loop, "b\n",
            $tail, ":\n",
            "ldr r12, [sp]\n",
            "ldr lr, [r12, #", $part, " + 12]\n",
            "subs lr, lr, r1\n",
            "beq ", $end, "f\n",
            "tst lr, #4\n",
            "beq ", $next, "f\n",
            $two,
            $next, ":\n",
            "tst lr, #2\n",
            "beq ", $end, "f\n",
            $one,
            $end, ":\n",
            "ldr r12, [sp]\n",
            "str r0, [r12, #", $part, "]\n", // Where the next unit begins.
        )
    };
}

/// The upper half of the entry is σ of z + 11 in `$z`, in 2⁻³², in `$entry`; beyond the table at
/// `$beyond`. r0 is the table; r1 and r7 are lost.
macro_rules! look {
    ($z:literal, $entry:literal, $beyond:literal, $back:literal) => {
        concat!(
            "cmp ",
            $z,
            ", #0x160000\n",
            "bhs ",
            $beyond,
            "f\n",
            "lsr ",
            $entry,
            ", ",
            $z,
            ", #12\n", // The segment.
            "ldr ",
            $entry,
            ", [r0, ",
            $entry,
            ", lsl #2]\n",
            "lsl r1, ",
            $entry,
            ", #16\n",
            "lsl ",
            $z,
            ", ",
            $z,
            ", #20\n",
            // The product has nothing below 2³⁶, so that r7 carries nothing.
            "umlal r7, ",
            $entry,
            ", r1, ",
            $z,
            "\n",
            $back,
            ":\n",
        )
    };
}

/// (2) and (3): σ of the sum in `$sum`, with the scale in `$scale`, in 2⁻³² in the place of the scale.
macro_rules! sigmoid {
    ($sum:literal, $scale:literal, $beyond:literal, $back:literal) => {
        concat!(
            "bic ",
            $scale,
            ", ",
            $scale,
            ", #15\n",
            "smmla ",
            $sum,
            ", ",
            $sum,
            ", ",
            $scale,
            ", lr\n",
            look!($sum, $scale, $beyond, $back),
        )
    };
}

/// 0 below the table, and all bits above.
macro_rules! beyond {
    ($z:literal, $entry:literal, $beyond:literal, $back:literal) => {
        concat!(
            $beyond,
            ":\nmvn ",
            $entry,
            ", ",
            $z,
            ", asr #31\nb ",
            $back,
            "b\n"
        )
    };
}

/// sum = sum·2^k of the scale in `$scale`.
macro_rules! shift {
    ($sum:literal, $scale:literal) => {
        concat!(
            "and r1, ",
            $scale,
            ", #15\nlsl ",
            $sum,
            ", ",
            $sum,
            ", r1\n"
        )
    };
}

macro_rules! units {
    (
        $block:expr, start $start:expr, four $four:expr, two $two:expr, one $one:expr, sums $sums:expr,
        keep $keep:expr, add $add:expr, [$f:literal, $i:literal, $g:literal, $o:literal]
    ) => {
        asm!(
            "push {{r0, r6, r7, r11}}",
            "2:", // (1): over x,
            "ldr r12, [sp]",
            $start,
            walk!("0", four $four, two $two, one $one, ["10", "11", "12", "13"]),
            $sums,
            "ldr r1, [r12, #36]", // joined with b,
            "ldm r1, {{r8, r9, r10, r11}}",
            shift!($f, "r8"),
            shift!($i, "r9"),
            shift!($g, "r10"),
            shift!($o, "r11"),
            "ldr r0, [r12, #32]",
            "ldm r0!, {{r8, r9, r10, r11}}",
            "str r0, [r12, #32]",
            concat!("add ", $f, ", ", $f, ", r8"),
            concat!("add ", $i, ", ", $i, ", r9"),
            concat!("add ", $g, ", ", $g, ", r10"),
            concat!("add ", $o, ", ", $o, ", r11"),
            $keep, // and over a.
            walk!("16", four $four, two $two, one $one, ["14", "15", "16", "17"]),
            $sums,
            $add,
            // (2) and (3) of all four.
            "ldr r1, [r12, #36]",
            "ldm r1!, {{r8, r9, r10, r11}}",
            "str r1, [r12, #36]",
            "ldr r0, [r12, #56]",
            "mov lr, #0xb0000",
            sigmoid!($f, "r8", "20", "30"),
            sigmoid!($i, "r9", "21", "31"),
            sigmoid!($g, "r10", "22", "32"),
            sigmoid!($o, "r11", "23", "33"),
            // (9)
            "ldrd r1, r2, [r12, #40]",
            "ldr r3, [r1], #4",
            "lsr r8, r8, #17", // f
            "smull r4, r5, r3, r8",
            "lsr r4, r4, #15",
            "orr r4, r4, r5, lsl #17",
            "lsr r9, r9, #17", // i
            "lsr r10, r10, #16",
            "sub r10, r10, #32768", // g
            "mul r9, r9, r10",
            "add r4, r4, r9, asr #10",
            "cmp r4, #0x2000000",
            "it gt",
            "movgt r4, #0x2000000",
            "cmn r4, #0x2000000",
            "it lt",
            "mvnlt r4, #0x1ffffff",
            "str r4, [r2], #4",
            "strd r1, r2, [r12, #40]",
            // (10)
            "add r4, lr, r4, asr #3",
            look!("r4", "r5", "24", "34"),
            "lsr r5, r5, #16",
            "sub r5, r5, #32768",
            "lsr r11, r11, #17", // o
            "mov r6, #16384",
            "mla r5, r11, r5, r6",
            "asr r5, r5, #15",
            "ldrd r1, r2, [r12, #48]",
            "strh r5, [r1], #2",
            "subs r2, r2, #1",
            "strd r1, r2, [r12, #48]",
            "bne 2b",
            "b 9f",
            beyond!($f, "r8", "20", "30"),
            beyond!($i, "r9", "21", "31"),
            beyond!($g, "r10", "22", "32"),
            beyond!($o, "r11", "23", "33"),
            beyond!("r4", "r5", "24", "34"),
            "9:",
            "pop {{r0, r6, r7, r11}}",
            inout("r0") $block => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _,
            out("r8") _, out("r9") _, out("r10") _, out("r12") _, out("lr") _,
        )
    };
}

/// (1) to (10) for all units of the block.
///
/// # Safety
/// There is at least one unit; each has four biases and scales, its weights for each scalar of both
/// vectors, at a multiple of four bytes, c before, and room for a and c.
#[inline(never)]
pub(super) unsafe fn units<W: Weight>(block: &mut Units<W>) {
    let block: *mut Units<W> = block;
    // SAFETY: of the block all is as the caller says, of the table an entry is read whose number is
    // less than 352; r6, r7 and r11 are as they were in the end.
    unsafe {
        if W::BITS == 8 {
            units!(
                block,
                start "movs r2, #0\nmovs r3, #0\nmovs r4, #0\nmovs r5, #0\nmovs r6, #0\nmovs r7, #0",
                four concat!("ldm r0!, {{r8, r9, r10, r11}}\n", pairs!("r8", "r9"), pairs!("r10", "r11")),
                two concat!("ldm r0!, {{r8, r9}}\n", pairs!("r8", "r9")),
                one pair!(),
                sums odd!(),
                keep concat!(
                    "strd r2, r3, [r12, #60]\n",
                    "strd r4, r6, [r12, #68]\n",
                    "movs r2, #0\nmovs r3, #0\nmovs r4, #0\nmovs r5, #0\nmovs r6, #0\nmovs r7, #0\n",
                ),
                add concat!(
                    "ldrd r8, r9, [r12, #60]\n",
                    "ldrd r10, r11, [r12, #68]\n",
                    "add r2, r2, r8\n",
                    "add r3, r3, r9\n",
                    "add r4, r4, r10\n",
                    "add r6, r6, r11\n",
                ),
                ["r2", "r4", "r3", "r6"]
            )
        } else {
            units!(
                block,
                start "movs r2, #0\nmovs r3, #0\nmovs r4, #0\nmovs r5, #0",
                four concat!(columns!(), columns!()),
                two columns!(),
                one column!(),
                sums "",
                keep "",
                add "",
                ["r2", "r3", "r4", "r5"]
            )
        }
    }
}
