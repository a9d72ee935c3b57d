//! Every tile shape, threshold and chunk size, with what was measured. None of them changes a bit
//! of a result.
//!
//! P is a number of vectors of rows, C a number of columns: P·C sums stay in registers. Rates are
//! f32 multiply-and-adds a nanosecond on a Zen 5 core (at most 126 with AVX-512, 63 with AVX2),
//! where no other is named.

/// Columns of the batch that are worked through at a time. 32 and 16 cost 0 to 3 % more (Zen 3).
pub(crate) const SEGMENT: usize = 64;

/// Samples from which on the recurrence of a step is a product; below, each sample goes by itself.
pub(crate) const PRODUCT: usize = 3;

/// What a product keeps in 32 vector registers.
pub(crate) mod thirty_two {
    /// z = b + W·u, (P, C). 64×64, C = 8: 115, and 123 at 256×256. In a prototype (1, 8) reached
    /// 102 and (2, 4) 105; on a Zen 4 core (1, 8) 52 of 53.5 and (2, 4) 39.
    pub(crate) const FORWARD: (usize, usize) = (2, 8);
    /// dW = dW + dz·uᵀ, (P, C). In a prototype 117 to 121; (1, 8) 104, (1, 16) 112, (2, 4) 97 to
    /// 111.
    pub(crate) const OUTER: (usize, usize) = (2, 8);
    /// du = Wᵀ·dz: entries of du × columns, in sums of 16 lanes. In a prototype 82 to 99; (2, 4) 80
    /// to 94, (4, 2) 62 to 66, (8, 1) 30 to 66.
    pub(crate) const TRANSPOSED: (usize, usize) = (4, 4);
    /// Vectors of rows of one matrix and one column: a step of (64, 128) takes 1785 to 2755 ns in
    /// six runs, depending on its pages; with 4 it takes 1939 to 2115.
    pub(crate) const COLUMN: usize = 8;
}

/// The same for 16 vector registers, of AVX2.
pub(crate) mod sixteen {
    /// 64×64, C = 8: 60, and 59 at 256×256; a prototype with (1, 8) reached 48.
    pub(crate) const FORWARD: (usize, usize) = (2, 4);
    /// Eight sums, as in the forward product.
    pub(crate) const OUTER: (usize, usize) = (2, 4);
    /// Four sums of two vectors each.
    pub(crate) const TRANSPOSED: (usize, usize) = (2, 2);
    /// Eight sums: as many as hide that an addition takes three or four cycles.
    pub(crate) const COLUMN: usize = 8;
    /// Vectors of units of the gates of a step, four in an LSTM: eight sums.
    pub(crate) const GATES: usize = 2;
}

/// The same for a core without vectors, whose vectors are four scalars, or one where the code is to
/// be small.
pub(crate) mod scalars {
    /// Four sums of one column, and 484 bytes of a Cortex-M4F's stack for an RNN (6, 16); with
    /// eight 612.
    pub(crate) const COLUMN: usize = 1;
}

/// Vectors whose activations are computed side by side: a sigmoid takes 0.167 ns (AVX-512), one
/// vector after the other 0.19.
pub(crate) const SIDE_BY_SIDE: usize = 4;

/// Units whose pre-activations stand on the stack during a step of a layer that the registers do
/// not hold: 2 KiB of f32. Few without vectors, where a stack is small: a step of a GRU with the
/// reset before the product, (6, 16), takes 632 bytes of a Cortex-M4F's, and 1536 with 128.
pub(crate) const UNITS: usize = if crate::arch::VECTORS { 128 } else { 16 };

/// Units of a step of a GRU from which on the weights fill more than a first-level cache, and the
/// order in which they are walked counts: with that of every second step turned round (32, 64) takes
/// 295 ns, 335 without. With the sums in registers only AVX-512 has so many units, of f32.
pub(crate) const MANY: usize = 64;

/// The bytes of recurrent weights up to which the gates are summed up in lockstep: a
/// first-level cache. Beyond, a matrix is walked by itself, so that what comes from the second
/// level comes in long runs.
pub(crate) const LOCKSTEP: usize = 32 * 1024;
