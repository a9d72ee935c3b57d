//! Vectors of every instruction set behind one small trait, and which of them runs.
//!
//! One of the two rooms with `unsafe` (the other is `flat.rs`). What makes it sound:
//!
//! * The vector types of an instruction set that a machine may lack are named in this room alone. A
//!   kernel is generic over [`Vector`] and gets its type from a [door](doors), which has asked
//!   [`backend`](detect::backend) first.
//! * Memory is reached in three ways: [`Vector::load`] and [`Vector::store`], which check each
//!   time; [`Panel`], [`Pairs`] and [`Blocks`], the walks of the three products, which check all
//!   that they will reach once, at the start.
//!
//! | file | |
//! |---|---|
//! | `mod.rs` | the trait, loads and stores, the walks |
//! | `doors.rs` | the functions of each scalar and instruction set, which the shells call |
//! | `detect.rs` | which instruction set this machine has |
//! | `x86.rs` `neon.rs` `wasm.rs` `plain.rs` `wide.rs` | the vectors; `frame.rs` what the first three have in common |
//! | `cortex_m.rs` | loops in assembly |
//! | `integers/` | the kernels of the quantised cells |

#[cfg(bptt_cortex_m)]
mod cortex_m;
mod detect;
mod doors;
pub(crate) mod integers;
#[cfg(not(bptt_baseline = "scalars"))]
#[macro_use]
mod frame;
#[cfg(bptt_baseline = "neon")]
mod neon;
mod plain;
#[cfg(test)]
mod tests;
#[cfg(bptt_baseline = "simd128")]
mod wasm;
#[cfg_attr(bptt_baseline = "scalars", allow(dead_code))]
mod wide;
#[cfg(bptt_baseline = "sse2")]
mod x86;

use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Sub};

pub use detect::{Backend, backend};
pub(crate) use doors::{Core, Double, Single};
pub(crate) use plain::{Plain, sum};

/// Whether the compile target has vectors, written ones or such as the compiler makes of loops over
/// arrays.
pub(crate) const VECTORS: bool = plain::VECTORS || cfg!(bptt_baseline = "simd128");

use crate::Real;
use crate::activation::{Constants, sigmoid_vector, tanh_vector};
use crate::shape::part;

/// The vectors that the compile target has in any case.
mod baseline {
    #[cfg(bptt_baseline = "neon")]
    pub(super) use super::neon::{F32x4 as Single, F64x2 as Double};
    #[cfg(bptt_baseline = "simd128")]
    pub(super) use super::wasm::{F32x4 as Single, F64x2 as Double};
    #[cfg(bptt_baseline = "sse2")]
    pub(super) use super::x86::{F32x4 as Single, F64x2 as Double};
    #[cfg(bptt_baseline = "scalars")]
    pub(super) use none::{Double, Single};

    #[cfg(bptt_baseline = "scalars")]
    mod none {
        use crate::arch::Plain;

        /// Four gates by four units are half of the 32 registers of a Cortex-M4F.
        pub(crate) type Single = Plain<f32, { lanes(size_of::<f32>()) }>;
        /// As [`Single`].
        pub(crate) type Double = Plain<f64, { lanes(size_of::<f64>()) }>;

        /// Few, where each operation is a call anyway; one, where nothing is gained by several and
        /// the code is to be small.
        const fn lanes(size: usize) -> usize {
            if cfg!(bptt_small) && !crate::arch::VECTORS {
                1
            } else if cfg!(bptt_small) || size > size_of::<usize>() {
                2
            } else {
                4
            }
        }
    }
}

/// A few scalars side by side, on each of which the same is done.
///
/// No operation is fused with another, and no lane of a result depends on another lane: how wide a
/// vector is changes no bit.
pub(crate) trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    type Scalar: Constants;
    /// The number of scalars.
    const LANES: usize;
    /// What the registers are good for; it chooses among the tile shapes of
    /// [`tuning`](crate::tuning).
    const REGISTERS: Registers;
    /// 16 scalars, as the contract's dot products sum them up.
    type Sixteen: Vector<Scalar = Self::Scalar>;
    /// A narrower vector for a layer that does not fill this one; itself, where there is none.
    type Half: Vector<Scalar = Self::Scalar>;

    /// x in each lane.
    fn splat(x: Self::Scalar) -> Self;

    /// The `LANES` scalars from `from` on.
    ///
    /// # Safety
    /// They can be read.
    unsafe fn read(from: *const Self::Scalar) -> Self;
    /// One scalar.
    ///
    /// # Safety
    /// It can be read.
    #[inline(always)]
    unsafe fn read_one(from: *const Self::Scalar) -> Self::Scalar {
        // SAFETY: the caller's promise.
        unsafe { *from }
    }
    /// The n scalars from `from` on; zeros in the other lanes.
    ///
    /// # Safety
    /// n is less than `LANES`, and n scalars can be read.
    unsafe fn read_part(from: *const Self::Scalar, n: usize) -> Self;
    /// Writes the `LANES` scalars from `to` on.
    ///
    /// # Safety
    /// They can be written.
    unsafe fn write(self, to: *mut Self::Scalar);
    /// Writes the first n lanes from `to` on.
    ///
    /// # Safety
    /// n is less than `LANES`, and n scalars can be written.
    unsafe fn write_part(self, to: *mut Self::Scalar, n: usize);

    /// The square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// x, or `min` where x is less; a NaN stays.
    fn at_least(self, min: Self::Scalar) -> Self;
    /// x, or `max` where x is more; a NaN stays.
    fn at_most(self, max: Self::Scalar) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// x, or +0 where |x| is less than the smallest normal number; a NaN stays.
    #[inline(always)]
    fn flush(self) -> Self {
        self.flush_as(self)
    }
    /// x, or +0 where y would be flushed.
    fn flush_as(self, y: Self) -> Self;
    /// x, which is not negative, with the sign of y.
    fn with_sign_of(self, y: Self) -> Self;
    /// The bits shifted to the left so that the lowest ones come to the exponent.
    fn lowest_bits_to_exponent(self) -> Self;
    /// The bits shifted to the right by one.
    fn halve_bits(self) -> Self;
    /// The difference of the bits, as integers.
    fn subtract_bits(self, other: Self) -> Self;
    /// The sigmoid of each lane, one after the other where there are no vectors.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        sigmoid_vector(self)
    }
    /// tanh of each lane, one after the other where there are no vectors.
    #[inline(always)]
    fn tanh(self) -> Self {
        tanh_vector(self)
    }

    /// The sum of the lanes: of the two halves lane by lane, until one is left.
    fn sum(self) -> Self::Scalar;
    /// The four sums of four vectors.
    #[inline(always)]
    fn sums(of: [Self; 4]) -> [Self::Scalar; 4] {
        [of[0].sum(), of[1].sum(), of[2].sum(), of[3].sum()]
    }

    /// z_g = b_g + Wx_g·x + Wa_g·a for the rows of four gates from row i on, as many as there are
    /// or a vector has, by the best that there is where there are no vectors. Each gate is Wa, Wx
    /// and b after one another, of `rows` rows each.
    #[inline(always)]
    fn four_sums(
        z: &mut [[Self; 1]; 4],
        gates: Gates<Self::Scalar>,
        rows: usize,
        i: usize,
        x: &[Self::Scalar],
        a: &[Self::Scalar],
    ) {
        *z = four_sums(gates, rows, i, x, a);
    }

    /// z_g = z_g + W_g·u for a vector of rows of three gates, from row i on, by the best that there
    /// is where there are no vectors.
    #[inline(always)]
    fn add_to_three<E: Edge>(
        z: &mut [[Self; 1]; 3],
        w: Gates<Self::Scalar>,
        rows: usize,
        i: usize,
        u: &[Self::Scalar],
        edge: E,
    ) {
        if Self::LANES > 1 {
            *z = add_columns(*z, w, rows, i, u, edge);
            return;
        }
        // One gate after the other, which needs few registers, where the code is to be small.
        for (g, z) in z.iter_mut().enumerate() {
            let w = Gates::one(w.part(g, 0, rows * u.len()));
            [*z] = add_columns([*z], w, rows, i, u, edge);
        }
    }

    /// du_k = Σ_g of the dot products of column k of W_g with a column of dz_g, which starts there
    /// in the first gate, added to du_k where it is to `add`, by the best that there is where there
    /// are no vectors. False where there is nothing better than a loop.
    #[inline(always)]
    fn dots(
        _w: Gates<Self::Scalar>,
        _dz: (Gates<Self::Scalar>, usize),
        _rows: usize,
        _gates: usize,
        _du: &mut [Self::Scalar],
        _add: bool,
    ) -> bool {
        false
    }

    /// dW = dW + Σ dz·uᵀ over `count` columns for some rows from the first on, by the best that
    /// there is where there are no vectors. Says how many: none where there is nothing better than
    /// loops.
    #[inline(always)]
    fn outer(
        _dw: &mut [Self::Scalar],
        _dz: Run<Self::Scalar>,
        _u: Run<Self::Scalar>,
        _count: usize,
    ) -> usize {
        0
    }

    /// The lanes, where there are no vectors; none where there are.
    #[inline(always)]
    fn lanes(&self) -> &[Self::Scalar] {
        &[]
    }

    /// The scalars i .. i + `LANES` of a slice; zeros beyond its end.
    #[inline(always)]
    fn load(from: &[Self::Scalar], i: usize) -> Self {
        let from = from.get(i..).unwrap_or_default();
        if from.len() >= Self::LANES {
            // SAFETY: there are `LANES` scalars.
            unsafe { Self::read(from.as_ptr()) }
        } else if from.is_empty() {
            // A masked read of nothing from nowhere would be right, and take a hundred times as
            // long.
            Self::splat(Self::Scalar::ZERO)
        } else {
            // SAFETY: there are `len` scalars, less than `LANES`.
            unsafe { Self::read_part(from.as_ptr(), from.len()) }
        }
    }

    /// Writes the scalars i .. i + `LANES` of a slice; nothing beyond its end.
    #[inline(always)]
    fn store(self, to: &mut [Self::Scalar], i: usize) {
        let to = to.get_mut(i..).unwrap_or_default();
        if to.len() >= Self::LANES {
            // SAFETY: there are `LANES` scalars.
            unsafe { self.write(to.as_mut_ptr()) }
        } else if !to.is_empty() {
            // SAFETY: there are `len` scalars, less than `LANES`.
            unsafe { self.write_part(to.as_mut_ptr(), to.len()) }
        }
    }
}

/// What the registers of an instruction set are good for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registers {
    /// No vectors: a tile is counted in scalars.
    Scalars,
    /// 16 vectors.
    Sixteen,
    /// 32 vectors.
    ThirtyTwo,
}

/// Whether work on one scalar after the other is done one by one: where there are no vectors, four
/// side by side save nothing.
#[inline(always)]
pub(crate) fn one_by_one<V: Vector>() -> bool {
    V::REGISTERS == Registers::Scalars && V::LANES > 1
}

/// How much of the last vector of a block of rows there is.
pub(crate) trait Edge: Copy {
    /// The lanes that the last of P vectors has, of `LANES`.
    fn lanes(self, lanes: usize) -> usize;
    /// # Safety
    /// `lanes(V::LANES)` scalars can be read.
    unsafe fn read<V: Vector>(self, from: *const V::Scalar) -> V;
    /// # Safety
    /// `lanes(V::LANES)` scalars can be written.
    unsafe fn write<V: Vector>(self, v: V, to: *mut V::Scalar);
}

/// The last vector is whole.
#[derive(Clone, Copy)]
pub(crate) struct Whole;

impl Edge for Whole {
    #[inline(always)]
    fn lanes(self, lanes: usize) -> usize {
        lanes
    }
    #[inline(always)]
    unsafe fn read<V: Vector>(self, from: *const V::Scalar) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::read(from) }
    }
    #[inline(always)]
    unsafe fn write<V: Vector>(self, v: V, to: *mut V::Scalar) {
        // SAFETY: the caller's promise.
        unsafe { v.write(to) }
    }
}

/// The last vector has so many lanes, less than all.
#[derive(Clone, Copy)]
pub(crate) struct Part(usize);

impl Part {
    /// n lanes of V, where they are less than all.
    #[inline(always)]
    pub(crate) fn of<V: Vector>(n: usize) -> Self {
        Part(if n < V::LANES { n } else { 0 })
    }
}

impl Edge for Part {
    /// No slice has as many as `usize::MAX`: a part of a wider vector fits nowhere.
    #[inline(always)]
    fn lanes(self, lanes: usize) -> usize {
        if self.0 < lanes { self.0 } else { usize::MAX }
    }
    #[inline(always)]
    unsafe fn read<V: Vector>(self, from: *const V::Scalar) -> V {
        // SAFETY: the caller's promise; `lanes` says `usize::MAX` where self.0 is not less than `LANES`.
        unsafe { V::read_part(from, self.0) }
    }
    #[inline(always)]
    unsafe fn write<V: Vector>(self, v: V, to: *mut V::Scalar) {
        // SAFETY: as above.
        unsafe { v.write_part(to, self.0) }
    }
}

/// Rows i .. of P vectors, the last with an edge: how many scalars.
#[inline(always)]
fn rows_of<V: Vector, E: Edge, const P: usize>(edge: E) -> usize {
    edge.lanes(V::LANES).saturating_add((P - 1) * V::LANES)
}

/// P vectors of a slice from scalar i on, the last with an edge; zeros where the slice has not so
/// many.
#[inline(always)]
pub(crate) fn load<V: Vector, E: Edge, const P: usize>(
    from: &[V::Scalar],
    i: usize,
    edge: E,
) -> [V; P] {
    let from = from.get(i..).unwrap_or_default();
    if from.len() < rows_of::<V, E, P>(edge) {
        return [V::splat(V::Scalar::ZERO); P];
    }
    // SAFETY: there are as many scalars as P vectors with this edge have.
    unsafe { read_all(from.as_ptr(), edge) }
}

/// Vector p of P vectors from `first` on; the last one stands in for any beyond it.
///
/// # Safety
/// As many scalars as P vectors with this edge have can be read.
#[inline(always)]
unsafe fn read_one_of<V: Vector, E: Edge, const P: usize>(
    first: *const V::Scalar,
    p: usize,
    edge: E,
) -> V {
    let p = p.min(P - 1);
    let from = first.wrapping_add(p * V::LANES);
    // SAFETY: the caller's promise.
    unsafe {
        if p + 1 < P {
            V::read(from)
        } else {
            edge.read(from)
        }
    }
}

/// P vectors from `from` on.
///
/// # Safety
/// As many scalars as P vectors with this edge have can be read.
#[inline(always)]
unsafe fn read_all<V: Vector, E: Edge, const P: usize>(from: *const V::Scalar, edge: E) -> [V; P] {
    // SAFETY: the caller's promise.
    unsafe {
        let last = edge.read(from.wrapping_add((P - 1) * V::LANES));
        let mut v = [last; P];
        for p in 1..P {
            v[p - 1] = V::read(from.wrapping_add((p - 1) * V::LANES));
        }
        v
    }
}

/// Writes P vectors from scalar i of a slice on, the last with an edge; nothing where the slice has
/// not so many.
#[inline(always)]
pub(crate) fn store<V: Vector, E: Edge, const P: usize>(
    v: [V; P],
    to: &mut [V::Scalar],
    i: usize,
    edge: E,
) {
    let to = to.get_mut(i..).unwrap_or_default();
    if to.len() >= rows_of::<V, E, P>(edge) {
        for p in 0..P {
            let to = to.as_mut_ptr().wrapping_add(p * V::LANES);
            // SAFETY: there are as many scalars as P vectors with this edge have.
            unsafe {
                if p + 1 < P {
                    v[p].write(to)
                } else {
                    edge.write(v[p], to)
                }
            };
        }
    }
}

/// Equal parts of a slice, `apart` scalars from the start of one to the start of the next: what the
/// gates have.
#[derive(Clone, Copy)]
pub struct Gates<'a, T> {
    pub(crate) all: &'a [T],
    pub(crate) apart: usize,
}

impl<'a, T> Gates<'a, T> {
    /// A single part.
    #[inline(always)]
    pub(crate) fn one(all: &'a [T]) -> Self {
        Gates { all, apart: 0 }
    }

    /// The parts from part g on.
    #[inline(always)]
    pub(crate) fn from(&self, g: usize) -> Self {
        let all = self.all.get(g * self.apart..).unwrap_or_default();
        Gates { all, ..*self }
    }

    /// `len` scalars of part g, from the first on.
    #[inline(always)]
    pub(crate) fn part(&self, g: usize, first: usize, len: usize) -> &'a [T] {
        part(self.all, g * self.apart + first, len)
    }
}

#[inline(always)]
fn greatest<const C: usize>(starts: [usize; C]) -> usize {
    let mut greatest = 0;
    for start in starts {
        greatest = greatest.max(start);
    }
    greatest
}

/// P vectors of rows, from row i on, of C columns, given by where they start; zeros where there are
/// not so many.
#[inline(always)]
pub(crate) fn load_columns<V: Vector, E: Edge, const P: usize, const C: usize>(
    from: &[V::Scalar],
    starts: [usize; C],
    i: usize,
    edge: E,
) -> [[V; P]; C] {
    let len = rows_of::<V, E, P>(edge).saturating_add(i);
    if from
        .len()
        .checked_sub(greatest(starts))
        .is_none_or(|left| left < len)
    {
        return [[V::splat(V::Scalar::ZERO); P]; C];
    }
    // SAFETY: after the greatest start, and so after each, there are i scalars and as many more as P vectors with this edge have.
    let mut v = [unsafe { read_all(from.as_ptr().wrapping_add(starts[0] + i), edge) }; C];
    for c in 1..C {
        // SAFETY: as above.
        v[c] = unsafe { read_all(from.as_ptr().wrapping_add(starts[c] + i), edge) };
    }
    v
}

/// Writes P vectors of rows, from row i on, of C columns, given by where they start; nothing where
/// there are not so many.
#[inline(always)]
pub(crate) fn store_columns<V: Vector, E: Edge, const P: usize, const C: usize>(
    v: [[V; P]; C],
    to: &mut [V::Scalar],
    starts: [usize; C],
    i: usize,
    edge: E,
) {
    let len = rows_of::<V, E, P>(edge).saturating_add(i);
    if to
        .len()
        .checked_sub(greatest(starts))
        .is_some_and(|left| left >= len)
    {
        for c in 0..C {
            for p in 0..P {
                let to = to.as_mut_ptr().wrapping_add(starts[c] + i + p * V::LANES);
                // SAFETY: as in `load_columns`.
                unsafe {
                    if p + 1 < P {
                        v[c][p].write(to)
                    } else {
                        edge.write(v[c][p], to)
                    }
                };
            }
        }
    }
}

/// P vectors of each of G parts, from scalar i on, the last with an edge; zeros where there are not
/// so many.
#[inline(always)]
pub(crate) fn load_gates<V: Vector, E: Edge, const G: usize, const P: usize>(
    from: Gates<V::Scalar>,
    i: usize,
    edge: E,
) -> [[V; P]; G] {
    let len = rows_of::<V, E, P>(edge).saturating_add((G - 1) * from.apart);
    if from.all.len().checked_sub(i).is_none_or(|left| left < len) {
        return [[V::splat(V::Scalar::ZERO); P]; G];
    }
    let first = from.all.as_ptr().wrapping_add(i);
    // SAFETY: from i on there are G − 1 times `apart` scalars and as many more as P vectors with this edge have.
    let mut v = [unsafe { read_all(first, edge) }; G];
    for g in 1..G {
        // SAFETY: as above.
        v[g] = unsafe { read_all(first.wrapping_add(from.apart.wrapping_mul(g)), edge) };
    }
    v
}

/// Writes P vectors of each of G parts, which are `apart` scalars apart; nothing where there are
/// not so many.
#[inline(always)]
pub(crate) fn store_gates<V: Vector, E: Edge, const G: usize, const P: usize>(
    v: [[V; P]; G],
    to: &mut [V::Scalar],
    apart: usize,
    i: usize,
    edge: E,
) {
    let len = rows_of::<V, E, P>(edge).saturating_add((G - 1) * apart);
    if to.len().checked_sub(i).is_some_and(|left| left >= len) {
        for g in 0..G {
            for p in 0..P {
                let to = to.as_mut_ptr().wrapping_add(g * apart + i + p * V::LANES);
                // SAFETY: as in `load_gates`.
                unsafe {
                    if p + 1 < P {
                        v[g][p].write(to)
                    } else {
                        edge.write(v[g][p], to)
                    }
                };
            }
        }
    }
}

/// The walk of the forward product: P vectors of rows of G matrices, column by column, and beside
/// them the scalars of C vectors u.
///
/// ```text
///              column k                      u₀  u₁ … of C
///        ┌───────┬───┬─────────┐            ┌─┐ ┌─┐
///      i │       │ w │ → k + 1 │          k │ │ │ │
///        │       │ w │         │          ↓ │ │ │ │
///        └───────┴───┴─────────┘            └─┘ └─┘
/// ```
pub(crate) struct Panel<'a, V: Vector, E, const G: usize, const P: usize, const C: usize> {
    w: *const V::Scalar,
    apart: usize,
    rows: usize,
    u: [*const V::Scalar; C],
    k: usize,
    end: usize,
    edge: E,
    borrowed: PhantomData<&'a V::Scalar>,
}

impl<'a, V: Vector, E: Edge, const G: usize, const P: usize, const C: usize>
    Panel<'a, V, E, G, P, C>
{
    /// The walk over `end` columns of the matrices `w`, of `rows` rows each, from row i on. The u
    /// are given by where they start in a slice. None where the matrices or the slice are too
    /// small.
    #[inline(always)]
    pub(crate) fn new(
        w: Gates<'a, V::Scalar>,
        rows: usize,
        i: usize,
        (u, starts, end): (&'a [V::Scalar], [usize; C], usize),
        edge: E,
    ) -> Self {
        let mut factors = [u.as_ptr(); C];
        for c in 0..C {
            factors[c] = u.as_ptr().wrapping_add(starts[c]);
        }
        let size = end
            .checked_mul(rows)
            .and_then(|size| size.checked_add((G - 1) * w.apart));
        let fits = size.is_some_and(|size| size <= w.all.len())
            && u.len()
                .checked_sub(greatest(starts))
                .is_some_and(|left| left >= end)
            && rows_of::<V, E, P>(edge) <= rows.saturating_sub(i);
        debug_assert!(fits, "a matrix is smaller than its dimensions say");
        Panel {
            w: w.all.as_ptr().wrapping_add(i),
            apart: w.apart,
            rows,
            u: factors,
            k: 0,
            end: if fits { end } else { 0 },
            edge,
            borrowed: PhantomData,
        }
    }
}

/// One column of a [`Panel`].
pub(crate) struct Column<'a, V: Vector, E, const G: usize, const P: usize, const C: usize> {
    w: *const V::Scalar,
    apart: usize,
    u: [*const V::Scalar; C],
    k: usize,
    edge: E,
    borrowed: PhantomData<&'a V::Scalar>,
}

impl<'a, V: Vector, E: Edge, const G: usize, const P: usize, const C: usize> Iterator
    for Panel<'a, V, E, G, P, C>
{
    type Item = Column<'a, V, E, G, P, C>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.k >= self.end {
            return None;
        }
        let column = Column {
            w: self.w,
            apart: self.apart,
            u: self.u,
            k: self.k,
            edge: self.edge,
            borrowed: PhantomData,
        };
        self.w = self.w.wrapping_add(self.rows);
        self.k = self.k.wrapping_add(1);
        Some(column)
    }
}

impl<V: Vector, E: Edge, const G: usize, const P: usize, const C: usize> Column<'_, V, E, G, P, C> {
    /// Vector p of matrix g.
    #[inline(always)]
    pub(crate) fn w(&self, g: usize, p: usize) -> V {
        let matrix = self.w.wrapping_add(self.apart.wrapping_mul(g.min(G - 1)));
        // SAFETY: `Panel::new` has seen that P vectors with this edge lie within each of the columns that it hands out.
        unsafe { read_one_of::<V, E, P>(matrix, p, self.edge) }
    }

    /// The scalar of u_c, in each lane.
    #[inline(always)]
    pub(crate) fn u(&self, c: usize) -> V {
        // SAFETY: `Panel::new` hands out no more columns than each u has scalars.
        V::splat(unsafe { V::read_one(self.u[c].wrapping_add(self.k)) })
    }
}

/// z_g + W_g·u for P vectors of rows, from row i on, of G matrices in lockstep: the columns in
/// ascending order.
#[inline(always)]
pub(crate) fn add_columns<V: Vector, E: Edge, const G: usize, const P: usize>(
    mut z: [[V; P]; G],
    w: Gates<V::Scalar>,
    rows: usize,
    i: usize,
    u: &[V::Scalar],
    edge: E,
) -> [[V; P]; G] {
    for column in Panel::<V, E, G, P, 1>::new(w, rows, i, (u, [0], u.len()), edge) {
        let u = column.u(0);
        for g in 0..G {
            for p in 0..P {
                z[g][p] = z[g][p] + column.w(g, p) * u;
            }
        }
    }
    z
}

/// z_g = b_g + Wx_g·x + Wa_g·a for a vector of rows of four gates, from row i on.
#[inline(always)]
fn four_sums<V: Vector>(
    gates: Gates<V::Scalar>,
    rows: usize,
    i: usize,
    x: &[V::Scalar],
    a: &[V::Scalar],
) -> [[V; 1]; 4] {
    let from = |column: usize| Gates {
        all: gates.all.get(rows * column..).unwrap_or_default(),
        apart: gates.apart,
    };
    let b = from(a.len() + x.len());
    // By name: an array would lie in memory where the code is to be small.
    let [[mut z_0], [mut z_1], [mut z_2], [mut z_3]] = load_gates::<V, Whole, 4, 1>(b, i, Whole);
    for (w, u) in [(from(a.len()), x), (gates, a)] {
        for column in Panel::<V, Whole, 4, 1, 1>::new(w, rows, i, (u, [0], u.len()), Whole) {
            let u = column.u(0);
            z_0 = z_0 + column.w(0, 0) * u;
            z_1 = z_1 + column.w(1, 0) * u;
            z_2 = z_2 + column.w(2, 0) * u;
            z_3 = z_3 + column.w(3, 0) * u;
        }
    }
    [[z_0], [z_1], [z_2], [z_3]]
}

/// Four vectors of sums, where there are no vectors: the four of one lane after the other.
#[inline(always)]
pub(crate) fn lanes<V: Vector>(
    [[a], [b], [c], [d]]: &[[V; 1]; 4],
) -> impl Iterator<Item = [[V::Half; 1]; 4]> {
    let one = |x: &V::Scalar| [V::Half::splat(*x)];
    let lanes = a
        .lanes()
        .iter()
        .zip(b.lanes())
        .zip(c.lanes())
        .zip(d.lanes());
    lanes.map(move |(((a, b), c), d)| [one(a), one(b), one(c), one(d)])
}

/// A matrix of each step of a sequence, to be read.
#[derive(Clone, Copy)]
pub struct Steps<'a, T> {
    pub(crate) all: &'a [T],
    pub(crate) at: Columns,
}

impl<'a, T> Steps<'a, T> {
    /// Matrix `which` of the `of` matrices (rows, batch) that each step has.
    #[inline(always)]
    pub(crate) fn matrix(
        all: &'a [T],
        (which, of): (usize, usize),
        (rows, batch): (usize, usize),
    ) -> Self {
        let at = Columns::matrix((which, of), (rows, batch));
        Steps { all, at }
    }

    /// The one matrix (rows, batch) that each step has.
    #[inline(always)]
    pub(crate) fn dense(all: &'a [T], rows: usize, batch: usize) -> Self {
        Steps::matrix(all, (0, 1), (rows, batch))
    }
}

/// [`Steps`], to be written.
pub struct StepsMut<'a, T> {
    pub(crate) all: &'a mut [T],
    pub(crate) at: Columns,
}

impl<'a, T> StepsMut<'a, T> {
    /// [`Steps::matrix`]
    #[inline(always)]
    pub(crate) fn matrix(
        all: &'a mut [T],
        (which, of): (usize, usize),
        (rows, batch): (usize, usize),
    ) -> Self {
        let at = Columns::matrix((which, of), (rows, batch));
        StepsMut { all, at }
    }

    /// [`Steps::dense`]
    #[inline(always)]
    pub(crate) fn dense(all: &'a mut [T], rows: usize, batch: usize) -> Self {
        StepsMut::matrix(all, (0, 1), (rows, batch))
    }
}

/// Where the columns of a sequence stand in its flat array: `per_step` columns of `rows` scalars
/// one after the other from `offset` on, those of the next step `stride` scalars further.
#[derive(Clone, Copy)]
pub struct Columns {
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) per_step: usize,
    pub(crate) stride: usize,
}

impl Columns {
    #[inline(always)]
    pub(crate) fn matrix((which, of): (usize, usize), (rows, batch): (usize, usize)) -> Self {
        Columns {
            offset: which * rows * batch,
            rows,
            per_step: batch,
            stride: of * rows * batch,
        }
    }

    /// The first scalars of columns n .. n + C of all steps; those from `end` on are that of the
    /// last column before it.
    #[inline(always)]
    pub(crate) fn starts<const C: usize>(&self, n: usize, end: usize) -> [usize; C] {
        let last = end.saturating_sub(1);
        let mut starts = [0; C];
        if self.stride == self.per_step * self.rows {
            for c in 0..C {
                starts[c] = self.offset + last.min(n + c) * self.rows;
            }
        } else if self.per_step == 1 {
            for c in 0..C {
                starts[c] = self.offset + last.min(n + c) * self.stride;
            }
        } else {
            let step = if n < self.per_step {
                0
            } else {
                n.checked_div(self.per_step).unwrap_or(0)
            };
            let mut m = n - step * self.per_step;
            let mut first = self.offset + step * self.stride;
            for c in 0..C {
                starts[c] = first + m * self.rows;
                if n + c < last {
                    m += 1;
                    if m == self.per_step {
                        (m, first) = (0, first + self.stride);
                    }
                }
            }
        }
        starts
    }

    /// The first scalars of the columns of all steps, one after the other.
    #[inline(always)]
    pub(crate) fn each(self) -> impl Iterator<Item = usize> {
        let gap = self
            .stride
            .wrapping_sub(self.per_step.wrapping_mul(self.rows));
        let (mut next, mut m) = (self.offset, 0);
        core::iter::repeat_with(move || {
            let start = next;
            next = next.wrapping_add(self.rows);
            m += 1;
            if m == self.per_step {
                (next, m) = (next.wrapping_add(gap), 0);
            }
            start
        })
    }

    /// Whether a flat array of this length holds so many steps.
    #[inline(always)]
    fn hold(&self, steps: usize, len: usize) -> bool {
        if steps == 0 {
            return true;
        }
        // offset + (steps − 1)·stride + per_step·rows ≤ len
        let last = steps.saturating_sub(1).checked_mul(self.stride);
        let step = self.per_step.checked_mul(self.rows);
        match (last, step) {
            (Some(last), Some(step)) => last
                .checked_add(step)
                .and_then(|end| end.checked_add(self.offset))
                .is_some_and(|end| end <= len),
            _ => false,
        }
    }
}

/// Columns of `rows` scalars that stand evenly apart in a slice: the first one `at`, each other one
/// `on` scalars after the one before, where `on` may wrap around to go back.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a, T> {
    pub(crate) of: &'a [T],
    pub(crate) rows: usize,
    pub(crate) at: usize,
    pub(crate) on: usize,
}

impl<'a, T> Run<'a, T> {
    /// Column n.
    #[inline(always)]
    pub(crate) fn column(&self, n: usize) -> &'a [T] {
        let first = self.at.wrapping_add(self.on.wrapping_mul(n));
        part(self.of, first, self.rows)
    }

    /// Whether the slice has so many columns.
    #[cfg(any(test, bptt_cortex_m))]
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        let steps = isize::try_from(count.saturating_sub(1)).ok();
        let way = steps.and_then(|steps| steps.checked_mul(self.on as isize));
        let last = way.and_then(|way| self.at.checked_add_signed(way));
        let fits = |at: usize| {
            at.checked_add(self.rows)
                .is_some_and(|end| end <= self.of.len())
        };
        fits(self.at) && last.is_some_and(fits)
    }
}

/// The walk of the outer product: P vectors of rows of dz from row i on, and C scalars of u from
/// row k on, column by column: time descending, then batch ascending. Where u has fewer than C rows
/// left, the last one stands in for what is missing (`EDGE`).
pub(crate) struct Pairs<'a, V: Vector, E, const P: usize, const C: usize, const EDGE: bool> {
    next: Pair<'a, V, E, P, C, EDGE>,
    rows: [usize; 2],
    /// From the last column of a step to the first one of the step before.
    back: [usize; 2],
    per_step: usize,
    m: usize,
    steps: usize,
    /// Where u is for the first step, if not where its order would have it.
    first: Option<*const V::Scalar>,
}

/// A column of dz and of u.
pub(crate) struct Pair<'a, V: Vector, E, const P: usize, const C: usize, const EDGE: bool> {
    dz: *const V::Scalar,
    u: *const V::Scalar,
    k: [usize; C],
    edge: E,
    borrowed: PhantomData<&'a V::Scalar>,
}

impl<'a, V: Vector, E: Edge, const P: usize, const C: usize, const EDGE: bool>
    Pairs<'a, V, E, P, C, EDGE>
{
    /// The walk over `steps` steps; none where an array is too small. Where the u of the first step
    /// stands elsewhere, in `first`, the slice of u begins with that of the second.
    #[inline(always)]
    pub(crate) fn new(
        &Steps { all: dz, at: dz_at }: &Steps<'a, V::Scalar>,
        &Steps { all: u, at: u_at }: &Steps<'a, V::Scalar>,
        first: Option<&'a [V::Scalar]>,
        steps: usize,
        i: usize,
        k: usize,
        edge: E,
    ) -> Self {
        let of_u = steps.saturating_sub(first.is_some() as usize);
        let left = u_at.rows.saturating_sub(k);
        let fits = dz_at.hold(steps, dz.len())
            && u_at.hold(of_u, u.len())
            && first.is_none_or(|first| {
                Columns::matrix((0, 1), (u_at.rows, u_at.per_step)).hold(1, first.len())
            })
            && dz_at.per_step == u_at.per_step
            && dz_at.per_step > 0
            && rows_of::<V, E, P>(edge) <= dz_at.rows.saturating_sub(i)
            && left >= if EDGE { 1 } else { C };
        debug_assert!(
            fits || steps == 0,
            "a sequence is smaller than its dimensions say"
        );
        let last = steps.wrapping_sub(1);
        let mut ks = [0; C];
        if EDGE {
            for c in 0..C {
                ks[c] = c.min(left.wrapping_sub(1));
            }
        }
        let back = |at: Columns| {
            at.stride
                .wrapping_add(at.per_step.wrapping_sub(1).wrapping_mul(at.rows))
        };
        let dz_start = dz_at
            .offset
            .wrapping_add(last.wrapping_mul(dz_at.stride))
            .wrapping_add(i);
        let u_last = of_u.wrapping_sub(1).wrapping_mul(u_at.stride);
        let u_start = u_at.offset.wrapping_add(u_last).wrapping_add(k);
        let first = first.map(|first| first.as_ptr().wrapping_add(k));
        Pairs {
            next: Pair {
                dz: dz.as_ptr().wrapping_add(dz_start),
                u: match first {
                    Some(first) if steps == 1 => first,
                    _ => u.as_ptr().wrapping_add(u_start),
                },
                k: ks,
                edge,
                borrowed: PhantomData,
            },
            rows: [dz_at.rows, u_at.rows],
            back: [back(dz_at), back(u_at)],
            per_step: dz_at.per_step,
            m: 0,
            steps: if fits { steps } else { 0 },
            first,
        }
    }
}

impl<'a, V: Vector, E: Edge, const P: usize, const C: usize, const EDGE: bool> Iterator
    for Pairs<'a, V, E, P, C, EDGE>
{
    type Item = Pair<'a, V, E, P, C, EDGE>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.steps == 0 {
            return None;
        }
        let pair = Pair { ..self.next };
        self.m = self.m.wrapping_add(1);
        if self.m < self.per_step {
            self.next.dz = self.next.dz.wrapping_add(self.rows[0]);
            self.next.u = self.next.u.wrapping_add(self.rows[1]);
        } else {
            self.m = 0;
            self.steps = self.steps.wrapping_sub(1);
            self.next.dz = self.next.dz.wrapping_sub(self.back[0]);
            self.next.u = match self.first {
                Some(first) if self.steps == 1 => first,
                _ => self.next.u.wrapping_sub(self.back[1]),
            };
        }
        Some(pair)
    }
}

impl<V: Vector, E: Edge, const P: usize, const C: usize, const EDGE: bool>
    Pair<'_, V, E, P, C, EDGE>
{
    /// Vector p of dz.
    #[inline(always)]
    pub(crate) fn dz(&self, p: usize) -> V {
        // SAFETY: `Pairs::new` has seen that P vectors with this edge lie within each column of dz.
        unsafe { read_one_of::<V, E, P>(self.dz, p, self.edge) }
    }

    /// Scalar c of u, in each lane.
    #[inline(always)]
    pub(crate) fn u(&self, c: usize) -> V {
        let c = c.min(C - 1);
        // SAFETY: `Pairs::new` has seen that u has C rows from row k on or, at the edge, that each k is one of them.
        V::splat(unsafe { V::read_one(self.u.wrapping_add(if EDGE { self.k[c] } else { c })) })
    }
}

/// Σ = Σ + dz·uᵀ for a tile of P vectors of rows × C columns over a walk.
#[inline(always)]
pub(crate) fn add_pairs<V: Vector, E: Edge, const P: usize, const C: usize, const EDGE: bool>(
    sums: &mut [[V; P]; C],
    pairs: Pairs<V, E, P, C, EDGE>,
) {
    let mut in_registers = *sums;
    for pair in pairs {
        for p in 0..P {
            let dz = pair.dz(p);
            for c in 0..C {
                in_registers[c][p] = in_registers[c][p] + dz * pair.u(c);
            }
        }
    }
    *sums = in_registers;
}

/// The walk of the transposed product: blocks of rows of Q columns of each matrix W and, beside
/// them, of C columns of each dz.
pub(crate) struct Blocks<'a, V: Vector, const Q: usize, const C: usize> {
    w: [*const V::Scalar; Q],
    dz: [*const V::Scalar; C],
    apart: [usize; 2],
    rows: usize,
    gates: usize,
    borrowed: PhantomData<&'a V::Scalar>,
}

impl<'a, V: Vector, const Q: usize, const C: usize> Blocks<'a, V, Q, C> {
    /// The walk over `rows` rows of so many gates. The columns of W and of dz are given by where
    /// they start in the first gate. No gate where a slice is too small.
    #[inline(always)]
    pub(crate) fn new(
        w: (Gates<'a, V::Scalar>, [usize; Q]),
        dz: (Gates<'a, V::Scalar>, [usize; C]),
        rows: usize,
        gates: usize,
    ) -> Self {
        let mut walk = Blocks {
            w: [w.0.all.as_ptr(); Q],
            dz: [dz.0.all.as_ptr(); C],
            apart: [w.0.apart, dz.0.apart],
            rows,
            gates,
            borrowed: PhantomData,
        };
        let (mut last_w, mut last_dz) = (0, 0);
        for q in 0..Q {
            walk.w[q] = w.0.all.as_ptr().wrapping_add(w.1[q]);
            last_w = last_w.max(w.1[q]);
        }
        for c in 0..C {
            walk.dz[c] = dz.0.all.as_ptr().wrapping_add(dz.1[c]);
            last_dz = last_dz.max(dz.1[c]);
        }
        let fits = |len: usize, last: usize, apart: usize| {
            let before = gates.saturating_sub(1).checked_mul(apart);
            let end = before.and_then(|before| before.checked_add(last)?.checked_add(rows));
            end.is_some_and(|end| end <= len)
        };
        let fits =
            fits(w.0.all.len(), last_w, w.0.apart) && fits(dz.0.all.len(), last_dz, dz.0.apart);
        debug_assert!(fits, "a matrix is smaller than its dimensions say");
        if !fits {
            walk.gates = 0;
        }
        walk
    }

    /// How many gates there are.
    #[inline(always)]
    pub(crate) fn gates(&self) -> usize {
        self.gates
    }

    /// The whole blocks of gate g, and what is left after them.
    #[inline(always)]
    pub(crate) fn gate(
        &self,
        g: usize,
    ) -> (WholeBlocks<'a, V, Q, C>, Option<Block<'a, V, Part, Q, C>>) {
        let (w, dz) = (g * self.apart[0], g * self.apart[1]);
        let mut first: Block<'a, V, Whole, Q, C> = Block {
            w: self.w,
            dz: self.dz,
            i: 0,
            edge: Whole,
            borrowed: PhantomData,
        };
        for q in 0..Q {
            first.w[q] = first.w[q].wrapping_add(w);
        }
        for c in 0..C {
            first.dz[c] = first.dz[c].wrapping_add(dz);
        }
        let rows = if g < self.gates { self.rows } else { 0 };
        let whole = rows - rows % V::LANES;
        let rest = Block {
            w: first.w,
            dz: first.dz,
            i: whole,
            edge: Part(rows - whole),
            borrowed: PhantomData,
        };
        (
            WholeBlocks {
                next: first,
                end: whole,
            },
            (whole < rows).then_some(rest),
        )
    }
}

/// The whole blocks of one gate.
pub(crate) struct WholeBlocks<'a, V: Vector, const Q: usize, const C: usize> {
    next: Block<'a, V, Whole, Q, C>,
    end: usize,
}

impl<'a, V: Vector, const Q: usize, const C: usize> Iterator for WholeBlocks<'a, V, Q, C> {
    type Item = Block<'a, V, Whole, Q, C>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next.i >= self.end {
            return None;
        }
        let block = Block {
            edge: Whole,
            ..self.next
        };
        self.next.i = self.next.i.wrapping_add(V::LANES);
        Some(block)
    }
}

/// A block of rows.
pub(crate) struct Block<'a, V: Vector, E, const Q: usize, const C: usize> {
    w: [*const V::Scalar; Q],
    dz: [*const V::Scalar; C],
    i: usize,
    edge: E,
    borrowed: PhantomData<&'a V::Scalar>,
}

impl<V: Vector, E: Edge, const Q: usize, const C: usize> Block<'_, V, E, Q, C> {
    /// The rows of column q of W.
    #[inline(always)]
    pub(crate) fn w(&self, q: usize) -> V {
        // SAFETY: `Blocks` hands out no rows but those that it has checked.
        unsafe { self.edge.read(self.w[q].wrapping_add(self.i)) }
    }

    /// The rows of column c of dz.
    #[inline(always)]
    pub(crate) fn dz(&self, c: usize) -> V {
        // SAFETY: as above.
        unsafe { self.edge.read(self.dz[c].wrapping_add(self.i)) }
    }
}
