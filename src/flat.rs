//! Matrices, parameters, states and caches as flat slices of scalars, and back.
//!
//! One of the two rooms with `unsafe` (the other is `arch/`). All of it rests on one fact, asserted for every type when
//! the program is compiled: the type is nothing but `LEN` scalars in a row (see [`Flat`]).

use core::marker::PhantomData;
use core::{ptr, slice};

use crate::{Affine, LengthMismatch, Matrix, Real, bytes, dense, lstm};

mod sealed {
    /// # Safety
    /// The type is nothing but scalars in a row: `repr(transparent)` over or `repr(C)` of `[T; N]`s alone.
    pub unsafe trait Sealed {
        /// Its dimensions.
        type Dimensions: super::Dimensions;
    }
}

/// The dimensions of a type, none of which may be zero.
pub trait Dimensions {
    const NOT_EMPTY: bool;
}

/// Two dimensions.
pub struct Two<const R: usize, const C: usize>;

impl<const R: usize, const C: usize> Dimensions for Two<R, C> {
    const NOT_EMPTY: bool = R > 0 && C > 0;
}

/// Evaluated by every view: the layout that the casts rely on.
struct Layout<F>(PhantomData<F>);

impl<F: Flat> Layout<F> {
    const CHECKED: () = {
        assert!(
            <F::Dimensions as Dimensions>::NOT_EMPTY,
            "a matrix has at least one row and one column"
        );
        assert!(size_of::<F>() == F::LEN * size_of::<F::Scalar>());
        assert!(align_of::<F>() == align_of::<F::Scalar>());
    };
}

/// A type that *is* a flat array of scalars and can be viewed as one, and one as it.
///
/// Implemented for every matrix, parameter, state and cache type, and sealed, because the views
/// rely on their layout: a `Matrix` is `repr(transparent)` over `[[T; R]; C]`, every other such
/// type is `repr(C)` and has only fields of this kind with the same `T`. All alignments are then
/// that of `T`, so there is no padding, and every bit pattern of the scalars is a valid value.
///
/// A view is how a host keeps large parameters off the stack, how an optimizer sees all weights as
/// one slice, and how weights are stored and loaded:
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
pub trait Flat: sealed::Sealed + Sized {
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
        const { Layout::<Self>::CHECKED }
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
        const { Layout::<Self>::CHECKED }
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
        const { Layout::<Self>::CHECKED }
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
        const { Layout::<Self>::CHECKED }
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
        const { Layout::<Self>::CHECKED }
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
        const { Layout::<Self>::CHECKED }
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
    /// | [`lstm::Params<X, A>`](lstm::Params) | the `Affine` of f, i, g, o |
    /// | [`lstm::State<A, M>`](lstm::State) | a (A, M), c (A, M) |
    /// | [`lstm::Cache<A, M>`](lstm::Cache) | f, i, g, o, c, (A, M) each |
    /// | [`dense::Params<A, Y>`](dense::Params) | W (Y, A), b (Y) |
    ///
    /// In numpy a matrix `w` is `w.astype("<f4").tobytes("F")`, or `"<f8"` for f64.
    ///
    /// `from_le_bytes` of each type but `Cache` makes a value of them again, at compile time too
    /// (there is one for each scalar, so the type must name it: `Vector::<3, f32>`). Layers are
    /// written one after the other and taken apart with `split_first_chunk`:
    ///
    /// ```
    /// use bptt::{Flat, dense, lstm};
    ///
    /// type Cell = lstm::Params<2, 3>;
    /// type Head = dense::Params<3, 1>;
    /// const SIZE: usize = size_of::<Cell>() + size_of::<Head>();
    ///
    /// // Once, on a host:
    /// let (cell, mut head) = (Cell::zeros(), Head::zeros());
    /// head.b.fill(0.5);
    /// let mut file = vec![0; SIZE]; // std::fs::write("weights.bin", &file)
    /// let (first, second) = file.split_at_mut(size_of::<Cell>());
    /// cell.to_le_bytes(first)?;
    /// head.to_le_bytes(second)?;
    ///
    /// // In firmware:
    /// # const fn weights() -> [u8; SIZE] {
    /// #     let mut file = [0; SIZE];
    /// #     file[SIZE - 1] = 0x3f; // 0.5_f32 in the last place
    /// #     file
    /// # }
    /// # /*
    /// const FILE: &[u8; SIZE] = include_bytes!("weights.bin"); // another length does not compile
    /// # */
    /// # const FILE: &[u8; SIZE] = &weights();
    /// const LAYERS: (&[u8; size_of::<Cell>()], &[u8]) = FILE.split_first_chunk().unwrap();
    /// static CELL: Cell = Cell::from_le_bytes(LAYERS.0);
    /// static HEAD: Head = Head::from_le_bytes(LAYERS.1.first_chunk::<{ size_of::<Head>() }>().unwrap());
    /// # assert_eq!(file, FILE);
    /// assert_eq!((&CELL, &HEAD), (&cell, &head));
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    ///
    /// From about 250 000 scalars on the compiler asks whether it should go on evaluating a `static`;
    /// `#[allow(long_running_const_eval)]` on it says yes.
    ///
    /// ```compile_fail
    /// // Three scalars are twelve bytes.
    /// static B: bptt::Vector<3> = bptt::Vector::<3, f32>::from_le_bytes(&[0; 11]);
    /// ```
    ///
    /// # Errors
    /// [`LengthMismatch`] where `bytes` has not 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes; nothing is
    /// written then.
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

// Below, a type may be listed only if it is `repr(transparent)` over or `repr(C)` of `[T; N]`s alone.

// SAFETY: see above.
unsafe impl<const R: usize, const C: usize, T: Real> sealed::Sealed for Matrix<R, C, T> {
    type Dimensions = Two<R, C>;
}
impl<const R: usize, const C: usize, T: Real> Flat for Matrix<R, C, T> {
    type Scalar = T;
}

// SAFETY: see above.
unsafe impl<const X: usize, const A: usize, T: Real> sealed::Sealed for Affine<X, A, T> {
    type Dimensions = Two<X, A>;
}
impl<const X: usize, const A: usize, T: Real> Flat for Affine<X, A, T> {
    type Scalar = T;
}

// SAFETY: see above.
unsafe impl<const X: usize, const A: usize, T: Real> sealed::Sealed for lstm::Params<X, A, T> {
    type Dimensions = Two<X, A>;
}
impl<const X: usize, const A: usize, T: Real> Flat for lstm::Params<X, A, T> {
    type Scalar = T;
}

// SAFETY: see above.
unsafe impl<const A: usize, const M: usize, T: Real> sealed::Sealed for lstm::State<A, M, T> {
    type Dimensions = Two<A, M>;
}
impl<const A: usize, const M: usize, T: Real> Flat for lstm::State<A, M, T> {
    type Scalar = T;
}

// SAFETY: see above.
unsafe impl<const A: usize, const M: usize, T: Real> sealed::Sealed for lstm::Cache<A, M, T> {
    type Dimensions = Two<A, M>;
}
impl<const A: usize, const M: usize, T: Real> Flat for lstm::Cache<A, M, T> {
    type Scalar = T;
}

// SAFETY: see above.
unsafe impl<const A: usize, const Y: usize, T: Real> sealed::Sealed for dense::Params<A, Y, T> {
    type Dimensions = Two<A, Y>;
}
impl<const A: usize, const Y: usize, T: Real> Flat for dense::Params<A, Y, T> {
    type Scalar = T;
}
