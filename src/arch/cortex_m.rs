//! The inner loops of a step and of its backward on an ARM core with a scalar floating-point unit (a Cortex-M4F), in assembly.
//!
//! `vldm` loads several weights at once. The compiler never uses it here, because it hands out registers before it looks for loads
//! to join, and spends one instruction on each weight. `vmla` rounds the product and then the sum, as the contract wants it; it
//! is not the fused `vfma`.

use super::{Edge, Gates, Pairs, Plain, Vector};

/// A scalar that these loops are for, or not.
pub(super) trait Scalar: Copy {
    const SINGLE: bool;
}
impl Scalar for f32 {
    const SINGLE: bool = true;
}
impl Scalar for f64 {
    const SINGLE: bool = false;
}

/// z_g = z_g + W_g·u for the rows i .. i + 4 of four matrices of `rows` rows. False where nothing was done.
#[inline(always)]
pub(super) fn add_four<T: Scalar, const L: usize>(
    z: &mut [[Plain<T, L>; 1]; 4],
    w: Gates<T>,
    rows: usize,
    i: usize,
    u: &[T],
) -> bool {
    let size = u
        .len()
        .checked_mul(rows)
        .and_then(|size| size.checked_add(3 * w.apart));
    let fits = size.is_some_and(|size| size <= w.all.len());
    if !T::SINGLE || L != 4 || u.is_empty() || !fits || rows < 4 || i > rows - 4 {
        return false;
    }
    let f = w.all.as_ptr().wrapping_add(i);
    // SAFETY: each of the `u.len()` rounds reads one scalar of u, and of each matrix the rows i .. i + 4 of one column, the next
    // one each time. They are in bounds, since i + 4 is at most `rows` and the last matrix has as many columns as u has scalars.
    // Nothing is written but the 16 scalars of z, which `repr(transparent)` puts in a row, and the registers that are listed.
    unsafe {
        core::arch::asm!(
            "vldmia {z}, {{s16-s31}}",
            "2:",
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
            "bne 2b",
            "vstmia {z}, {{s16-s31}}",
            z = in(reg) z.as_mut_ptr(),
            u = inout(reg) u.as_ptr() => _,
            f = inout(reg) f => _,
            i = inout(reg) f.wrapping_add(w.apart) => _,
            g = inout(reg) f.wrapping_add(2 * w.apart) => _,
            o = inout(reg) f.wrapping_add(3 * w.apart) => _,
            k = inout(reg) u.len() => _,
            column = in(reg) rows * 4,
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

/// du_k = Σ_g of the dot products of column k of W_g with a column of dz_g, which starts there in the first gate. False, and nothing is
/// done, where there is another number of rows than a multiple of 16.
#[inline(always)]
pub(super) fn dots<T: Scalar>(
    w: Gates<T>,
    (dz, dz_at): (Gates<T>, usize),
    rows: usize,
    gates: usize,
    du: &mut [T],
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
        // SAFETY: T is f32; `rows` scalars can be read from w_k and from dz_0 on, and `apart` scalars further for each gate.
        unsafe { dot([w_k, dz_0], skip, rows, gates, du) };
        w_k = w_k.wrapping_add(rows);
    }
    true
}

/// One dot product over all gates.
///
/// # Safety
/// T is f32. For each gate `rows` scalars, a multiple of 16, can be read of w and of dz, those of the next gate `skip` scalars after them.
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

/// Σ = Σ + dz·uᵀ for four rows × four columns, one sample a step. The walk again where nothing was done.
#[inline(always)]
pub(super) fn add_pairs<
    'a,
    T: Scalar,
    E: Edge,
    const L: usize,
    const P: usize,
    const C: usize,
    const EDGE: bool,
>(
    sums: &mut [[Plain<T, L>; P]; C],
    pairs: Pairs<'a, Plain<T, L>, E, P, C, EDGE>,
) -> Option<Pairs<'a, Plain<T, L>, E, P, C, EDGE>>
where
    Plain<T, L>: Vector<Scalar = T>,
{
    if !T::SINGLE || L != 4 || P != 1 || C != 4 || EDGE || pairs.per_step != 1 || pairs.steps == 0 {
        return Some(pairs);
    }
    let (dz, u) = (pairs.next.dz, pairs.next.u);
    match pairs.first {
        Some(first) if pairs.steps > 1 => {
            let before = pairs.back[0].wrapping_mul(pairs.steps - 1);
            // SAFETY: `Pairs::new` has seen that four rows of dz and four of u are there in each of these steps.
            unsafe {
                rank_one(
                    sums.as_mut_ptr().cast(),
                    [dz, u],
                    pairs.back,
                    pairs.steps - 1,
                );
                rank_one(
                    sums.as_mut_ptr().cast(),
                    [dz.wrapping_sub(before), first],
                    [0, 0],
                    1,
                );
            }
        }
        // SAFETY: as above.
        _ => unsafe { rank_one(sums.as_mut_ptr().cast(), [dz, u], pairs.back, pairs.steps) },
    }
    None
}

/// Σ = Σ + dz·uᵀ over so many steps, from the last to the first.
///
/// # Safety
/// T is f32. `sums` are 16, row by row of a column. Four scalars of dz and of u can be read, and `back` scalars before them, and so on.
#[inline(always)]
unsafe fn rank_one<T>(sums: *mut T, [dz, u]: [*const T; 2], back: [usize; 2], steps: usize) {
    // SAFETY: the caller's promise; nothing is written but the sums and the registers that are listed.
    unsafe {
        core::arch::asm!(
            "vldmia {sums}, {{s16-s31}}",
            "2:",
            "vldmia {dz}, {{s0-s3}}",
            "vldmia {u}, {{s4-s7}}",
            "subs {steps}, {steps}, #1",
            "vmla.f32 s16, s0, s4",
            "vmla.f32 s17, s1, s4",
            "vmla.f32 s18, s2, s4",
            "vmla.f32 s19, s3, s4",
            "sub {dz}, {dz}, {dz_back}",
            "vmla.f32 s20, s0, s5",
            "vmla.f32 s21, s1, s5",
            "vmla.f32 s22, s2, s5",
            "vmla.f32 s23, s3, s5",
            "sub {u}, {u}, {u_back}",
            "vmla.f32 s24, s0, s6",
            "vmla.f32 s25, s1, s6",
            "vmla.f32 s26, s2, s6",
            "vmla.f32 s27, s3, s6",
            "vmla.f32 s28, s0, s7",
            "vmla.f32 s29, s1, s7",
            "vmla.f32 s30, s2, s7",
            "vmla.f32 s31, s3, s7",
            "bne 2b",
            "vstmia {sums}, {{s16-s31}}",
            sums = in(reg) sums,
            dz = inout(reg) dz => _,
            u = inout(reg) u => _,
            dz_back = in(reg) back[0].wrapping_mul(4),
            u_back = in(reg) back[1].wrapping_mul(4),
            steps = inout(reg) steps => _,
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
