//! The inner loops of a step and of its backward on an ARM core with a scalar floating-point unit
//! (a Cortex-M4F), in assembly.
//!
//! `vldm` loads several weights at once. The compiler never uses it here, because it hands out
//! registers before it looks for loads to join, and spends one instruction on each weight. `vmla`
//! rounds the product and then the sum, as the contract wants it; it is not the fused `vfma`.

use core::mem::MaybeUninit;
use core::ops::Add;

use super::{Gates, Plain, Run, Vector, Whole};

/// A scalar that these loops are for, or not.
pub(super) trait Scalar: Copy + Add<Output = Self> {
    const SINGLE: bool;
}
impl Scalar for f32 {
    const SINGLE: bool = true;
}
impl Scalar for f64 {
    const SINGLE: bool = false;
}

/// z_g = b_g + Wx_g·x + Wa_g·a for the rows i .. i + 4 of four gates, each Wa, Wx and b after one
/// another, of `rows` rows each. False where nothing was done.
#[inline(always)]
pub(super) fn four_sums<T: Scalar, const L: usize>(
    z: &mut [[Plain<T, L>; 1]; 4],
    gates: Gates<T>,
    rows: usize,
    i: usize,
    x: &[T],
    a: &[T],
) -> bool {
    let columns = rows.saturating_add(x.len());
    let size = rows
        .checked_mul(columns.saturating_add(1))
        .and_then(|size| size.checked_add(gates.apart.checked_mul(3)?));
    let fits = size.is_some_and(|size| size <= gates.all.len()) && a.len() == rows;
    if !T::SINGLE || L != 4 || !fits || x.is_empty() || rows < 4 || i > rows - 4 {
        return false;
    }
    let column = |k: usize| gates.all.as_ptr().wrapping_add(k * rows + i);
    // SAFETY: T is f32. Of each b the rows i .. i + 4 are read; then, for each scalar of x, the rows i .. i + 4 of the next column of
    // each Wx, and for each of the `rows` scalars of a those of each Wa. They are in bounds, since
    // i + 4 is at most `rows` and the last gate has all its columns. Nothing is written but the 16
    // scalars of z, which `repr(transparent)` puts in a row, and the registers that are listed.
    unsafe {
        core::arch::asm!(
            "vldmia {o}, {{s16-s19}}",
            "add {o}, {o}, {apart}",
            "vldmia {o}, {{s20-s23}}",
            "add {o}, {o}, {apart}",
            "vldmia {o}, {{s24-s27}}",
            "add {o}, {o}, {apart}",
            "vldmia {o}, {{s28-s31}}",
            "2:",
            "add {i}, {f}, {apart}",
            "add {g}, {i}, {apart}",
            "add {o}, {g}, {apart}",
            "3:",
            "vldmia {u}!, {{s8}}",
            "vldmia {f}, {{s0-s3}}",
            "add {f}, {f}, {column}",
            "vldmia {i}, {{s4-s7}}",
            "add {i}, {i}, {column}",
            "vmla.f32 s16, s0, s8",
            "vmla.f32 s17, s1, s8",
            "vmla.f32 s18, s2, s8",
            "vmla.f32 s19, s3, s8",
            "vldmia {g}, {{s0-s3}}",
            "add {g}, {g}, {column}",
            "vmla.f32 s20, s4, s8",
            "vmla.f32 s21, s5, s8",
            "vmla.f32 s22, s6, s8",
            "vmla.f32 s23, s7, s8",
            "vldmia {o}, {{s4-s7}}",
            "add {o}, {o}, {column}",
            "vmla.f32 s24, s0, s8",
            "vmla.f32 s25, s1, s8",
            "vmla.f32 s26, s2, s8",
            "vmla.f32 s27, s3, s8",
            "subs {k}, {k}, #1",
            "vmla.f32 s28, s4, s8",
            "vmla.f32 s29, s5, s8",
            "vmla.f32 s30, s6, s8",
            "vmla.f32 s31, s7, s8",
            "bne 3b",
            "mov {f}, {f_a}", // The same for a, if that was for x.
            "mov {u}, {a}",
            "lsr {k}, {column}, #2",
            "mov {f_a}, #0",
            "cmp {f}, #0",
            "bne 2b",
            "vstmia {z}, {{s16-s31}}",
            z = in(reg) z.as_mut_ptr(),
            apart = in(reg) gates.apart * 4,
            column = in(reg) rows * 4,
            u = inout(reg) x.as_ptr() => _,
            a = in(reg) a.as_ptr(),
            k = inout(reg) x.len() => _,
            f = inout(reg) column(rows) => _,
            f_a = inout(reg) column(0) => _,
            i = out(reg) _,
            g = out(reg) _,
            o = inout(reg) column(columns) => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _,
            out("s4") _, out("s5") _, out("s6") _, out("s7") _, out("s8") _,
            out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            out("s24") _, out("s25") _, out("s26") _, out("s27") _,
            out("s28") _, out("s29") _, out("s30") _, out("s31") _,
            options(nostack),
        );
    }
    true
}

/// z_g = z_g + W_g·u for the rows i .. i + 4 of three gates. False, and nothing is done, for another
/// scalar or number of lanes; so the caller has no loop beside this for f32.
#[inline(always)]
pub(super) fn add_to_three<T: Scalar, const L: usize>(
    z: &mut [[Plain<T, L>; 1]; 3],
    w: Gates<T>,
    rows: usize,
    i: usize,
    u: &[T],
) -> bool
where
    Plain<T, L>: Vector<Scalar = T>,
{
    if !T::SINGLE || L != 4 {
        return false;
    }
    let size = rows
        .checked_mul(u.len())
        .and_then(|size| size.checked_add(w.apart.checked_mul(2)?));
    let fits = size.is_some_and(|size| size <= w.all.len());
    if !fits || u.is_empty() || rows < 4 || i > rows - 4 {
        add_to_three_in_a_loop(z, w, rows, i, u);
        return true;
    }
    // SAFETY: T is f32. For each scalar of u the rows i .. i + 4 of the next column of each W are
    // read. They are in bounds, since i + 4 is at most `rows` and the last gate has a column for
    // each scalar of u. Nothing is written but the 12 scalars of z, which `repr(transparent)` puts
    // in a row, and the registers that are listed.
    unsafe {
        core::arch::asm!(
            "vldmia {z}, {{s16-s27}}",
            "2:",
            "vldmia {u}!, {{s8}}",
            "vldmia {r}, {{s0-s3}}",
            "add {r}, {r}, {column}",
            "vldmia {v}, {{s4-s7}}",
            "add {v}, {v}, {column}",
            "vmla.f32 s16, s0, s8",
            "vmla.f32 s17, s1, s8",
            "vmla.f32 s18, s2, s8",
            "vmla.f32 s19, s3, s8",
            "vldmia {n}, {{s0-s3}}",
            "add {n}, {n}, {column}",
            "vmla.f32 s20, s4, s8",
            "vmla.f32 s21, s5, s8",
            "vmla.f32 s22, s6, s8",
            "vmla.f32 s23, s7, s8",
            "subs {k}, {k}, #1",
            "vmla.f32 s24, s0, s8",
            "vmla.f32 s25, s1, s8",
            "vmla.f32 s26, s2, s8",
            "vmla.f32 s27, s3, s8",
            "bne 2b",
            "vstmia {z}, {{s16-s27}}",
            z = in(reg) z.as_mut_ptr(),
            column = in(reg) rows * 4,
            u = inout(reg) u.as_ptr() => _,
            k = inout(reg) u.len() => _,
            r = inout(reg) w.all.as_ptr().wrapping_add(i) => _,
            v = inout(reg) w.all.as_ptr().wrapping_add(w.apart + i) => _,
            n = inout(reg) w.all.as_ptr().wrapping_add(2 * w.apart + i) => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _,
            out("s4") _, out("s5") _, out("s6") _, out("s7") _, out("s8") _,
            out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            out("s24") _, out("s25") _, out("s26") _, out("s27") _,
            options(nostack),
        );
    }
    true
}

/// The same without assembly; not inlined, since it would take stack there that is seldom used.
#[inline(never)]
fn add_to_three_in_a_loop<V: Vector>(
    z: &mut [[V; 1]; 3],
    w: Gates<V::Scalar>,
    rows: usize,
    i: usize,
    u: &[V::Scalar],
) {
    *z = super::add_columns(*z, w, rows, i, u, Whole);
}

/// du_k = Σ_g of the dot products of column k of W_g with a column of dz_g, which starts there in
/// the first gate; du_k is added to them where it is to `add`. False, and nothing is done, where
/// there is another number of rows than a multiple of 16.
#[inline(never)] // The registers that it saves would take stack below everything else in the product.
pub(super) fn dots<T: Scalar>(
    w: Gates<T>,
    (dz, dz_at): (Gates<T>, usize),
    rows: usize,
    gates: usize,
    du: &mut [T],
    add: bool,
) -> bool {
    let fits = |of: Gates<T>, scalars: Option<usize>| {
        let end = gates
            .wrapping_sub(1)
            .checked_mul(of.apart)?
            .checked_add(scalars?)?;
        (end <= of.all.len()).then_some(())
    };
    if !T::SINGLE || rows % 16 != 0 || rows == 0 || gates == 0 {
        return false;
    }
    let w_fits = fits(w, du.len().checked_mul(rows));
    if w_fits.is_none() || fits(dz, dz_at.checked_add(rows)).is_none() {
        return false;
    }
    let (mut w_k, dz_0) = (w.all.as_ptr(), dz.all.as_ptr().wrapping_add(dz_at));
    let skip = [w.apart.wrapping_sub(rows), dz.apart.wrapping_sub(rows)];
    for du in du {
        let before = *du;
        // SAFETY: T is f32; `rows` scalars can be read from w_k and from dz_0 on, and `apart` scalars further for each gate.
        unsafe { dot([w_k, dz_0], skip, rows, gates, du) };
        if add {
            *du = before + *du;
        }
        w_k = w_k.wrapping_add(rows);
    }
    true
}

/// One dot product over all gates.
///
/// # Safety
/// T is f32. For each gate `rows` scalars, a multiple of 16, can be read of w and of dz, those of
/// the next gate `skip` scalars after them.
#[inline(always)]
unsafe fn dot<T>([w, dz]: [*const T; 2], skip: [usize; 2], rows: usize, gates: usize, sum: &mut T) {
    // SAFETY: the caller's promise; nothing is written but `sum` and the registers that are listed.
    unsafe {
        core::arch::asm!(
            "vmov s16, {zero}",
            "vmov s17, {zero}",
            "vmov s18, {zero}",
            "vmov s19, {zero}",
            "vmov s20, {zero}",
            "vmov s21, {zero}",
            "vmov s22, {zero}",
            "vmov s23, {zero}",
            "vmov s24, {zero}",
            "vmov s25, {zero}",
            "vmov s26, {zero}",
            "vmov s27, {zero}",
            "vmov s28, {zero}",
            "vmov s29, {zero}",
            "vmov s30, {zero}",
            "vmov s31, {zero}",
            "2:",
            "mov {zero}, {rows}",
            "3:",
            "vldmia {w}!, {{s0-s7}}",
            "vldmia {dz}!, {{s8-s15}}",
            "subs {zero}, {zero}, #16",
            "vmla.f32 s16, s0, s8",
            "vmla.f32 s17, s1, s9",
            "vmla.f32 s18, s2, s10",
            "vmla.f32 s19, s3, s11",
            "vmla.f32 s20, s4, s12",
            "vmla.f32 s21, s5, s13",
            "vmla.f32 s22, s6, s14",
            "vmla.f32 s23, s7, s15",
            "vldmia {w}!, {{s0-s7}}",
            "vldmia {dz}!, {{s8-s15}}",
            "vmla.f32 s24, s0, s8",
            "vmla.f32 s25, s1, s9",
            "vmla.f32 s26, s2, s10",
            "vmla.f32 s27, s3, s11",
            "vmla.f32 s28, s4, s12",
            "vmla.f32 s29, s5, s13",
            "vmla.f32 s30, s6, s14",
            "vmla.f32 s31, s7, s15",
            "bne 3b",
            "subs {gates}, {gates}, #1",
            "add {w}, {w}, {w_skip}",
            "add {dz}, {dz}, {dz_skip}",
            "bne 2b",
            "vadd.f32 s16, s16, s24",
            "vadd.f32 s17, s17, s25",
            "vadd.f32 s18, s18, s26",
            "vadd.f32 s19, s19, s27",
            "vadd.f32 s20, s20, s28",
            "vadd.f32 s21, s21, s29",
            "vadd.f32 s22, s22, s30",
            "vadd.f32 s23, s23, s31",
            "vadd.f32 s16, s16, s20",
            "vadd.f32 s17, s17, s21",
            "vadd.f32 s18, s18, s22",
            "vadd.f32 s19, s19, s23",
            "vadd.f32 s16, s16, s18",
            "vadd.f32 s17, s17, s19",
            "vadd.f32 s16, s16, s17",
            "vstr s16, [{sum}]",
            zero = inout(reg) 0 => _,
            rows = in(reg) rows,
            w = inout(reg) w => _,
            dz = inout(reg) dz => _,
            w_skip = in(reg) skip[0].wrapping_mul(4),
            dz_skip = in(reg) skip[1].wrapping_mul(4),
            gates = inout(reg) gates => _,
            sum = in(reg) sum,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _,
            out("s4") _, out("s5") _, out("s6") _, out("s7") _,
            out("s8") _, out("s9") _, out("s10") _, out("s11") _,
            out("s12") _, out("s13") _, out("s14") _, out("s15") _,
            out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            out("s24") _, out("s25") _, out("s26") _, out("s27") _,
            out("s28") _, out("s29") _, out("s30") _, out("s31") _,
            options(nostack),
        );
    }
}

/// dW = dW + Σ dz·uᵀ over `count` columns, in tiles of four rows × four columns of dW. Says how
/// many rows it has done.
#[inline(always)]
pub(super) fn outer<T: Scalar>(dw: &mut [T], dz: Run<T>, u: Run<T>, count: usize) -> usize {
    let (rows, columns) = (dz.rows, u.rows);
    let size = rows.checked_mul(columns);
    let fits = size.is_some_and(|size| size <= dw.len()) && dz.holds(count) && u.holds(count);
    if !T::SINGLE || !fits || columns < 4 || count == 0 {
        return 0;
    }
    let done = rows - rows % 4;
    let mut unused = MaybeUninit::<[T; 4]>::uninit();
    for i in (0..done).step_by(4) {
        for k in (0..columns).step_by(4) {
            // At the edge a tile has some columns of the one before once more, which go nowhere.
            let k_0 = k.min(columns - 4);
            let to = [0, 1, 2, 3].map(|c| match k_0 + c < k {
                true => unused.as_mut_ptr().cast(),
                false => dw.as_mut_ptr().wrapping_add((k_0 + c) * rows + i),
            });
            let from = [
                dz.of.as_ptr().wrapping_add(dz.at + i),
                u.of.as_ptr().wrapping_add(u.at + k_0),
            ];
            // SAFETY: T is f32. `holds` has seen that rows i .. i + 4 of each dz are there, and k_0 .. k_0 + 4 of each u; `to` are rows
            // i .. i + 4 of four columns of dW, or `unused`.
            unsafe { rank_one(to, from, [dz.on, u.on], count) };
        }
    }
    done
}

/// Σ = Σ + dz·uᵀ over so many pairs, each `on` scalars after the one before.
///
/// # Safety
/// T is f32. Four sums stand at each of `to`, one place for each scalar of u. Four scalars of dz
/// and of u can be read, `count` times, each time `on` scalars further.
#[inline(always)]
unsafe fn rank_one<T>(to: [*mut T; 4], [dz, u]: [*const T; 2], on: [usize; 2], count: usize) {
    // SAFETY: the caller's promise; nothing is written but the sums and the registers that are listed.
    unsafe {
        core::arch::asm!(
            "vldmia {to_0}, {{s16-s19}}",
            "vldmia {to_1}, {{s20-s23}}",
            "vldmia {to_2}, {{s24-s27}}",
            "vldmia {to_3}, {{s28-s31}}",
            "2:",
            "vldmia {dz}, {{s0-s3}}",
            "vldmia {u}, {{s4-s7}}",
            "subs {count}, {count}, #1",
            "vmla.f32 s16, s0, s4",
            "vmla.f32 s17, s1, s4",
            "vmla.f32 s18, s2, s4",
            "vmla.f32 s19, s3, s4",
            "add {dz}, {dz}, {dz_on}",
            "vmla.f32 s20, s0, s5",
            "vmla.f32 s21, s1, s5",
            "vmla.f32 s22, s2, s5",
            "vmla.f32 s23, s3, s5",
            "add {u}, {u}, {u_on}",
            "vmla.f32 s24, s0, s6",
            "vmla.f32 s25, s1, s6",
            "vmla.f32 s26, s2, s6",
            "vmla.f32 s27, s3, s6",
            "vmla.f32 s28, s0, s7",
            "vmla.f32 s29, s1, s7",
            "vmla.f32 s30, s2, s7",
            "vmla.f32 s31, s3, s7",
            "bne 2b",
            "vstmia {to_0}, {{s16-s19}}",
            "vstmia {to_1}, {{s20-s23}}",
            "vstmia {to_2}, {{s24-s27}}",
            "vstmia {to_3}, {{s28-s31}}",
            to_0 = in(reg) to[0],
            to_1 = in(reg) to[1],
            to_2 = in(reg) to[2],
            to_3 = in(reg) to[3],
            dz = inout(reg) dz => _,
            u = inout(reg) u => _,
            dz_on = in(reg) on[0].wrapping_mul(4),
            u_on = in(reg) on[1].wrapping_mul(4),
            count = inout(reg) count => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _,
            out("s4") _, out("s5") _, out("s6") _, out("s7") _,
            out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            out("s24") _, out("s25") _, out("s26") _, out("s27") _,
            out("s28") _, out("s29") _, out("s30") _, out("s31") _,
            options(nostack),
        );
    }
}
