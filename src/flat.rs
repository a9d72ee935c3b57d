//! Matrices, parameters, states and caches as flat slices of scalars, and back.
//!
//! One of the two rooms with `unsafe` (the other is `arch/`). All of it rests on one fact, checked
//! for every type when the program is compiled: the type is nothing but scalars in a row (see
//! [`Layout`]). What a scalar is, `Real` says: `f32` or `f64`, of which every bit pattern is valid,
//! and all bits zero is +0.

use core::fmt::Debug;
use core::mem::{self, offset_of};
use core::{ptr, slice};

use crate::{
    Affine, Fields, FlatStruct, LengthMismatch, Matrix, Pair, Real, bytes, dense, gru, lstm,
    quantized::Weight, rnn,
};

mod sealed {
    /// What makes [`Flat`](super::Flat) impossible to implement elsewhere.
    ///
    /// # Safety
    /// Where `Layout::CHECKED` can be evaluated, the type is nothing but scalars of type
    /// `Flat::Scalar` in a row.
    pub unsafe trait Sealed {
        /// The type itself. `CHECKED` is reached through it, so that no `F: Flat` of a user has a
        /// constant of that name.
        type Layout: super::Layout;
    }
}

/// The layout that the views rely on; each of them evaluates it.
pub trait Layout {
    /// Compiles only where the type is scalars in a row.
    const CHECKED: ();
}

/// The layout of `F` and of all that it consists of.
#[inline(always)]
const fn check<F: Flat>() {
    const { <F::Layout as Layout>::CHECKED }
}

/// The end of the field of type `F` at `offset` in `S`: it must start where the field before it
/// ends.
const fn field<S: Flat, F: Flat<Scalar = S::Scalar>>(
    end_before: usize,
    offset: usize,
    _: fn(&S) -> &F,
) -> usize {
    check::<F>();
    assert!(offset == end_before, "a gap before a field");
    offset + size_of::<F>()
}

/// Makes a struct flat whose fields are. That they are, that there are no others and that there are
/// no gaps is checked.
macro_rules! flat {
    ([$($parameters:tt)*] $type:ty, $scalar:ty, $($field:tt)+) => {
        // SAFETY: each field is scalars in a row, and they follow one another without a gap; see
        // `field`. The size leaves no room for more.
        unsafe impl<$($parameters)*> sealed::Sealed for $type {
            type Layout = Self;
        }
        impl<$($parameters)*> Layout for $type {
            const CHECKED: () = {
                let end = 0;
                $(let end = field(end, offset_of!(Self, $field), |value: &Self| &value.$field);)+
                assert!(end == size_of::<Self>(), "more than the fields");
                assert!(align_of::<Self>() == align_of::<$scalar>(), "an alignment of its own");
                assert!(!mem::needs_drop::<Self>(), "something to drop");
            };
        }
        impl<$($parameters)*> Flat for $type {
            type Scalar = $scalar;
        }
        by_memory!([$($parameters)*] $type);
    };
}

/// `Clone` and `Default` without a second copy on the stack, and `clone_from` without a first.
macro_rules! by_memory {
    ([$($parameters:tt)*] $type:ty) => {
        impl<$($parameters)*> Clone for $type {
            fn clone(&self) -> Self {
                copy(self)
            }
            /// In place: nothing passes over the stack.
            fn clone_from(&mut self, source: &Self) {
                overwrite(self, source);
            }
        }
        impl<$($parameters)*> Default for $type {
            /// Zeros.
            fn default() -> Self {
                zeros()
            }
        }
    };
}

// SAFETY: an array is its entries in a row; a matrix has no other field. The size leaves no room
// for more.
unsafe impl<const R: usize, const C: usize, T: Real> sealed::Sealed for Matrix<R, C, T> {
    type Layout = Self;
}
impl<const R: usize, const C: usize, T: Real> Layout for Matrix<R, C, T> {
    const CHECKED: () = {
        assert!(
            R > 0 && C > 0,
            "a matrix has at least one row and one column"
        );
        let _: fn(&Self) -> &[[T; R]; C] = |matrix| &matrix.0;
        assert!(
            size_of::<Self>() == size_of::<[[T; R]; C]>(),
            "more than the entries"
        );
        assert!(
            align_of::<Self>() == align_of::<T>(),
            "an alignment of its own"
        );
    };
}
impl<const R: usize, const C: usize, T: Real> Flat for Matrix<R, C, T> {
    type Scalar = T;
}
by_memory!([const R: usize, const C: usize, T: Real] Matrix<R, C, T>);

// SAFETY: an array is its entries in a row, and each of them is scalars in a row.
unsafe impl<F: Flat, const N: usize> sealed::Sealed for [F; N] {
    type Layout = Self;
}
impl<F: Flat, const N: usize> Layout for [F; N] {
    const CHECKED: () = {
        check::<F>();
        assert!(N > 0, "an array that is flat has at least one entry");
    };
}
impl<F: Flat, const N: usize> Flat for [F; N] {
    type Scalar = F::Scalar;
}

flat!([const X: usize, const A: usize, T: Real] Affine<X, A, T>, T, wa wx b);
flat!([const X: usize, const A: usize, T: Real] lstm::Params<X, A, T>, T, f i g o);
flat!([const A: usize, const M: usize, T: Real] lstm::State<A, M, T>, T, a c);
flat!([const A: usize, const M: usize, T: Real] lstm::Cache<A, M, T>, T, f i g o c);
flat!([const X: usize, const A: usize, T: Real] gru::ResetAfter<X, A, T>, T, r u n bna);
flat!([const X: usize, const A: usize, T: Real] gru::ResetBefore<X, A, T>, T, r u n);
flat!([const A: usize, const M: usize, T: Real] gru::Cache<A, M, T>, T, r u n s);
flat!([const X: usize, const A: usize, T: Real] rnn::Relu<X, A, T>, T, 0);
flat!([const A: usize, const Y: usize, T: Real] dense::Params<A, Y, T>, T, w b);
flat!([P: Flat, Q: Flat<Scalar = P::Scalar>] Pair<P, Q>, P::Scalar, first second);
flat!([F: Fields] FlatStruct<F>, <F::Chain as Flat>::Scalar, 0);

/// All scalars zero.
#[inline(always)]
pub(crate) const fn zeros<F: Flat>() -> F {
    check::<F>();
    // SAFETY: by `Layout`, scalars alone, and zero bits are the scalar +0.
    unsafe { mem::zeroed() }
}

/// [`Clone::clone`]
#[inline(always)]
fn copy<F: Flat>(source: &F) -> F {
    check::<F>();
    // SAFETY: the source is a reference; by `Layout` it is scalars alone, which are `Copy`.
    unsafe { ptr::read(source) }
}

/// [`Clone::clone_from`]
#[inline(always)]
fn overwrite<F: Flat>(target: &mut F, source: &F) {
    check::<F>();
    // SAFETY: both are references, one of them exclusive, so that they do not overlap. By `Layout`
    // they are scalars alone, which are `Copy` and have nothing to drop.
    unsafe { ptr::copy_nonoverlapping(source, target, 1) }
}

/// The value that [`Flat::to_le_bytes`] wrote; another number of bytes does not compile.
#[inline(always)]
pub(crate) const fn from_le_bytes<F: Flat, const N: usize>(bytes: &[u8; N]) -> F {
    if cfg!(target_endian = "little") {
        from_ne_bytes(bytes)
    } else {
        from_ne_bytes(&bytes::reversed(bytes, size_of::<F::Scalar>()))
    }
}

/// The value whose bytes in memory these are.
#[inline(always)]
const fn from_ne_bytes<F: Flat, const N: usize>(bytes: &[u8; N]) -> F {
    check::<F>();
    const { assert!(N == size_of::<F>(), "another number of bytes") }
    // SAFETY: by `Layout`, scalars alone, of which every bit pattern is valid. There are as many
    // bytes, at whatever address.
    unsafe { bytes.as_ptr().cast::<F>().read_unaligned() }
}

/// A type that *is* a flat array of scalars and can be viewed as one, and one as it.
///
/// Implemented for every matrix, parameter, state and cache type and for arrays of them; a network
/// of your own is declared with [`flat_struct!`](crate::flat_struct). Sealed, because the views
/// rely on the layout: a `Matrix` is `[[T; R]; C]`, every other such type has only fields of this
/// kind with the same `T`, one after the other. All alignments are then that of `T`, so there is no
/// padding, and every bit pattern of the scalars is a valid value. All of that is checked when the
/// program is compiled.
///
/// A view is how a host keeps large parameters off the stack
/// ([how](crate::patterns#large-networks)), how an optimizer sees all weights as one slice, and how
/// weights are stored and loaded:
///
/// ```
/// use bptt::{Flat, lstm};
///
/// type Params = lstm::Params<128, 256>;
/// let mut weights = vec![0.0; Params::LEN]; // 1.5 MiB, on the heap of the host
/// let params = Params::from_flat_mut(&mut weights)?;
/// params.f.b.fill(1.0);
/// assert_eq!(params.as_flat().len(), 4 * 256 * (256 + 128 + 1));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not scalars in a row",
    label = "not flat",
    note = "matrices, parameters, states, caches, arrays of them and what `flat_struct!` declares are"
)]
pub trait Flat: sealed::Sealed + Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The scalar that the flat array is made of.
    type Scalar: Real;

    /// The number of scalars.
    ///
    /// ```
    /// use bptt::{Flat, Matrix, lstm};
    ///
    /// assert_eq!(Matrix::<3, 4>::LEN, 12);
    /// assert_eq!(lstm::Cache::<16, 1>::LEN, 5 * 16);
    /// ```
    const LEN: usize = size_of::<Self>() / size_of::<Self::Scalar>();

    /// All scalars zero: what `zeros()` of each type returns, for code that is written for any.
    ///
    /// ```
    /// use bptt::{Flat, lstm};
    ///
    /// fn sequence<F: Flat>() -> [F; 3] {
    ///     [F::ZEROS; 3]
    /// }
    /// assert_eq!(sequence::<lstm::State<4, 1>>()[2], lstm::State::zeros());
    /// ```
    const ZEROS: Self = zeros();

    /// [`Flat::ZEROS`] by value, for code that is written for any type.
    ///
    /// ```
    /// use bptt::{Cell, Flat, rnn};
    ///
    /// fn start<C: Cell<2, 3>>() -> C::State<4> {
    ///     C::State::zeros()
    /// }
    /// assert_eq!(start::<rnn::Params<2, 3>>().as_flat(), [0.0; 12]);
    /// ```
    fn zeros() -> Self {
        Self::ZEROS
    }

    /// Every scalar becomes zero, in place: a gradient before the next batch.
    ///
    /// `*grads = zeros()` does the same, but in a debug build makes the zeros on the stack first.
    ///
    /// ```
    /// use bptt::{Flat, Vector};
    ///
    /// let mut grads = Vector::<2>::from_columns([[1.0, 2.0]]);
    /// grads.set_zeros();
    /// assert_eq!(grads, Vector::zeros());
    /// ```
    #[inline]
    fn set_zeros(&mut self) {
        check::<Self>();
        let first: *mut Self = self;
        // SAFETY: the reference is exclusive; by `Layout`, scalars alone, and zero bits are the
        // scalar +0.
        unsafe { first.write_bytes(0, 1) }
    }

    /// `self` as its scalars: same memory, no copy.
    ///
    /// ```
    /// use bptt::{Flat, Matrix};
    ///
    /// let w: Matrix<2, 2> = Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(w.as_flat(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    #[inline(always)]
    fn as_flat(&self) -> &[Self::Scalar] {
        check::<Self>();
        let first: *const Self = self;
        // SAFETY: by `Layout`, `self` is exactly `LEN` scalars without padding, aligned as scalars are. Borrow and lifetime are those of
        // `self`.
        unsafe { &*ptr::slice_from_raw_parts(first as *const Self::Scalar, Self::LEN) }
    }

    /// `self` as its scalars, to be written: same memory, no copy.
    ///
    /// ```
    /// use bptt::{Flat, Matrix};
    ///
    /// let mut w: Matrix<2, 2> = Matrix::zeros();
    /// w.as_flat_mut()[2] = 7.0;
    /// assert_eq!(w[(0, 1)], 7.0);
    /// ```
    #[inline(always)]
    fn as_flat_mut(&mut self) -> &mut [Self::Scalar] {
        check::<Self>();
        let first: *mut Self = self;
        // SAFETY: as in `as_flat`; the borrow is exclusive, and every scalar that can be written is a valid part of a `Self`.
        unsafe { &mut *ptr::slice_from_raw_parts_mut(first as *mut Self::Scalar, Self::LEN) }
    }

    /// `flat` as a `Self`: same memory, no copy.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `flat` does not have `LEN` scalars.
    ///
    /// ```
    /// use bptt::{Flat, Matrix};
    ///
    /// let w = Matrix::<2, 2>::from_flat(&[1.0, 3.0, 2.0, 4.0])?;
    /// assert_eq!(w[(0, 1)], 2.0);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    #[inline]
    fn from_flat(flat: &[Self::Scalar]) -> Result<&Self, LengthMismatch> {
        match Self::slice_from_flat(flat) {
            Ok([one]) => Ok(one),
            _ => Err(wrong_length::<Self>(flat.len())),
        }
    }

    /// `flat` as a `Self`, to be written: same memory, no copy.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `flat` does not have `LEN` scalars.
    ///
    /// ```
    /// use bptt::{Flat, Vector};
    ///
    /// let mut flat = [0.0; 3];
    /// Vector::<3>::from_flat_mut(&mut flat)?.fill(1.0);
    /// assert_eq!(flat, [1.0; 3]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    #[inline]
    fn from_flat_mut(flat: &mut [Self::Scalar]) -> Result<&mut Self, LengthMismatch> {
        let found = flat.len();
        match Self::slice_from_flat_mut(flat) {
            Ok([one]) => Ok(one),
            _ => Err(wrong_length::<Self>(found)),
        }
    }

    /// A sequence (one `Self` a time step) as its scalars: same memory, no copy.
    ///
    /// ```
    /// use bptt::{Flat, Vector};
    ///
    /// let x: [Vector<2>; 2] = [Vector::from_columns([[1.0, 2.0]]), Vector::from_columns([[3.0, 4.0]])];
    /// assert_eq!(Flat::slice_as_flat(&x), [1.0, 2.0, 3.0, 4.0]);
    /// ```
    #[inline]
    fn slice_as_flat(sequence: &[Self]) -> &[Self::Scalar] {
        check::<Self>();
        // SAFETY: by `Layout`, `sequence` is exactly `len * LEN` scalars without padding, aligned as
        // scalars are. The product cannot overflow: the memory exists. Borrow and lifetime are
        // those of `sequence`.
        unsafe { slice::from_raw_parts(sequence.as_ptr().cast(), sequence.len() * Self::LEN) }
    }

    /// A sequence as its scalars, to be written: same memory, no copy.
    ///
    /// ```
    /// use bptt::{Flat, Vector};
    ///
    /// let mut x: [Vector<2>; 2] = [Vector::zeros(), Vector::zeros()];
    /// Flat::slice_as_flat_mut(&mut x)[3] = 4.0;
    /// assert_eq!(x[1][(1, 0)], 4.0);
    /// ```
    #[inline]
    fn slice_as_flat_mut(sequence: &mut [Self]) -> &mut [Self::Scalar] {
        check::<Self>();
        // SAFETY: as in `slice_as_flat`; the borrow is exclusive, and every scalar that can be
        // written is a valid part of a `Self`.
        unsafe {
            slice::from_raw_parts_mut(sequence.as_mut_ptr().cast(), sequence.len() * Self::LEN)
        }
    }

    /// `flat` as a sequence of `Self`, one a time step: same memory, no copy.
    ///
    /// # Errors
    /// [`LengthMismatch`] where the length of `flat` is not a multiple of `LEN`; `expected` is then
    /// the next smaller multiple.
    ///
    /// ```
    /// use bptt::{Flat, Vector};
    ///
    /// let x = Vector::<2>::slice_from_flat(&[1.0, 2.0, 3.0, 4.0])?;
    /// assert_eq!(x.len(), 2);
    /// assert_eq!(Vector::<2>::slice_from_flat(&[1.0; 5]).unwrap_err().expected, 4);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    #[inline]
    fn slice_from_flat(flat: &[Self::Scalar]) -> Result<&[Self], LengthMismatch> {
        check::<Self>();
        let steps = flat.len() / Self::LEN;
        LengthMismatch::check("flat", steps * Self::LEN, flat.len())?;
        // SAFETY: `flat` is exactly `steps * LEN` scalars (checked on the line above), which by
        // `Layout` is the size and the alignment of `steps` values; every bit pattern is valid.
        Ok(unsafe { slice::from_raw_parts(flat.as_ptr().cast(), steps) })
    }

    /// `flat` as a sequence of `Self`, to be written: same memory, no copy.
    ///
    /// # Errors
    /// As [`Flat::slice_from_flat`].
    ///
    /// ```
    /// use bptt::{Flat, Vector};
    ///
    /// let mut flat = vec![0.0; 6];
    /// Vector::<2>::slice_from_flat_mut(&mut flat)?[2].fill(1.0);
    /// assert_eq!(flat, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    #[inline]
    fn slice_from_flat_mut(flat: &mut [Self::Scalar]) -> Result<&mut [Self], LengthMismatch> {
        check::<Self>();
        let steps = flat.len() / Self::LEN;
        LengthMismatch::check("flat", steps * Self::LEN, flat.len())?;
        // SAFETY: as in `slice_from_flat`; the borrow is exclusive.
        Ok(unsafe { slice::from_raw_parts_mut(flat.as_mut_ptr().cast(), steps) })
    }

    /// Writes the scalars as bytes: in their order, each the least significant byte first, without
    /// header or padding. The same bytes on every target.
    ///
    /// | type | in this order |
    /// |---|---|
    /// | [`Matrix<R, C>`](Matrix) | column by column |
    /// | [`Affine<X, A>`](Affine), `rnn::Params` | Wa (A, A), Wx (A, X), b (A) |
    /// | [`rnn::Relu<X, A>`](rnn::Relu) | its `Affine` |
    /// | [`lstm::Params<X, A>`](lstm::Params) | the `Affine` of f, i, g, o |
    /// | [`gru::ResetAfter<X, A>`](gru::ResetAfter) | the `Affine` of r, u, n, then bna (A) |
    /// | [`gru::ResetBefore<X, A>`](gru::ResetBefore) | the `Affine` of r, u, n |
    /// | [`lstm::State<A, M>`](lstm::State) | a (A, M), c (A, M) |
    /// | [`lstm::Cache<A, M>`](lstm::Cache) | f, i, g, o, c, (A, M) each |
    /// | [`gru::Cache<A, M>`](gru::Cache) | r, u, n, s, (A, M) each |
    /// | [`dense::Params<A, Y>`](dense::Params) | W (Y, A), b (Y) |
    /// | [`flat_struct!`](crate::flat_struct), [`Pair`], `[F; N]` | one part after the other |
    ///
    /// In numpy a matrix `w` is `w.astype("<f4").tobytes("F")`, or `"<f8"` for f64.
    ///
    /// `from_le_bytes` of each type but `Cache` and arrays makes a value of them again, at compile
    /// time too:
    ///
    /// ```
    /// use bptt::{Flat, dense, lstm};
    ///
    /// bptt::flat_struct! {
    ///     struct Net, NetRef, NetMut {
    ///         cell: lstm::Params<2, 3>,
    ///         head: dense::Params<3, 1>,
    ///     }
    /// }
    ///
    /// // Once, on a host:
    /// let mut net = Net::zeros();
    /// net.parts_mut().head.b.fill(0.5);
    /// let mut file = vec![0; size_of::<Net>()];
    /// net.to_le_bytes(&mut file)?; // std::fs::write("weights.bin", &file)
    ///
    /// // In firmware:
    /// # const fn weights() -> [u8; size_of::<Net>()] {
    /// #     let mut file = [0; size_of::<Net>()];
    /// #     file[file.len() - 1] = 0x3f; // 0.5_f32 in the last place
    /// #     file
    /// # }
    /// # /*
    /// // Another length does not compile.
    /// static NET: Net = Net::from_le_bytes(include_bytes!("weights.bin"));
    /// # */
    /// # static NET: Net = Net::from_le_bytes(&weights());
    /// assert_eq!(NET, net);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    ///
    /// ```compile_fail
    /// // Three scalars are twelve bytes.
    /// static B: bptt::Vector<3> = bptt::Vector::from_le_bytes(&[0; 11]);
    /// ```
    ///
    /// # Errors
    /// [`LengthMismatch`] where `bytes` has not 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes; nothing
    /// is written then.
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
        bytes::write(self, bytes)
    }

    /// Overwrites `self` with the scalars whose bytes these are, as [`Flat::to_le_bytes`] wrote
    /// them: for bytes whose number is known only at run time, and values that should not pass over
    /// the stack.
    ///
    /// ```
    /// use bptt::{Flat, Vector};
    ///
    /// let mut b = Vector::<2>::zeros();
    /// b.read_le_bytes(&[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])?;
    /// assert_eq!(b.as_flat(), [1.0, -2.0]);
    /// assert_eq!(b.read_le_bytes(&[0; 7]).unwrap_err().expected, 8);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    ///
    /// # Errors
    /// As [`Flat::to_le_bytes`]; `self` stays as it is then.
    fn read_le_bytes(&mut self, bytes: &[u8]) -> Result<(), LengthMismatch> {
        bytes::read(self, bytes)
    }
}

fn wrong_length<F: Flat>(found: usize) -> LengthMismatch {
    LengthMismatch {
        what: "flat",
        expected: F::LEN,
        found,
    }
}

/// The integer that `n` is modulo 2⁸ or 2¹⁶, as a quantised weight.
pub(crate) const fn integer<W: Weight>(n: i32) -> W {
    let (byte, two) = (n as i8, n as i16);
    // SAFETY: a `W` is what its `BITS` say; each pointer is to such an integer.
    unsafe {
        match W::BITS {
            8 => (&raw const byte).cast::<W>().read(),
            _ => (&raw const two).cast::<W>().read(),
        }
    }
}

/// The number that a quantised weight is.
pub(crate) const fn value<W: Weight>(weight: W) -> i32 {
    let weight = &raw const weight;
    // SAFETY: as for `integer`.
    unsafe {
        match W::BITS {
            8 => weight.cast::<i8>().read() as i32,
            _ => weight.cast::<i16>().read() as i32,
        }
    }
}
