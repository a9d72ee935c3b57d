//! Weights and states as bytes: compiled in from a file, read from and written to a caller's
//! buffer.
//!
//! # Format
//!
//! The scalars of the flat array (see [`Flat`](crate::Flat)), one after the other, each as its
//! IEEE-754 bits, least significant byte first: 4 bytes an `f32`, 8 an `f64`. Nothing stands
//! before, between or after them, so the length is `size_of` the type, and several layers in one
//! file follow each other. In this order:
//!
//! | type | scalars |
//! |---|---|
//! | `Matrix<R, C>` | column by column |
//! | `Affine<X, A>`, which is `rnn::Params<X, A>` | Wa (A, A), Wx (A, X), b (A) |
//! | `lstm::Params<X, A>` | the `Affine` of forget, update, candidate and output |
//! | `dense::Params<A, Y>` | W (Y, A), b (Y) |
//! | `lstm::State<A, M>` | a (A, M), c (A, M) |
//!
//! With numpy: `np.concatenate([w.ravel("F") for w in
//! matrices]).astype("<f4").tofile("weights.bin")`. The bytes do not depend on the target, and
//! every bit comes back, those of a NaN included.
//!
//! # Compiled in
//!
//! `from_le_bytes` of [`Matrix`](Matrix::from_le_bytes), [`Affine`](Affine::from_le_bytes),
//! [`lstm::Params`](lstm::Params::from_le_bytes), [`dense::Params`](dense::Params::from_le_bytes)
//! and [`lstm::State`](lstm::State::from_le_bytes) works in a `static`: the weights stay in flash,
//! and a file of the wrong length does not compile. A file with several layers is split by
//! `split_first_chunk`:
//!
//! ```
//! use bptt::{dense, lstm};
//!
//! type Cell = lstm::Params<1, 1>;
//! type Head = dense::Params<1, 1>;
//! const CELL: usize = size_of::<Cell>(); // 4·(1 + 1 + 1) scalars
//! const HEAD: usize = size_of::<Head>(); // 2 scalars
//!
//! const FILE: &[u8; CELL + HEAD] = &[0x3f; 56]; // include_bytes!("weights.bin")
//!
//! static NETWORK: (Cell, Head) = {
//!     let (cell, head) = FILE.split_first_chunk::<CELL>().unwrap();
//!     (
//!         Cell::from_le_bytes(cell),
//!         Head::from_le_bytes(head.first_chunk::<HEAD>().unwrap()),
//!     )
//! };
//! assert_eq!(NETWORK.1.b[(0, 0)], f32::from_bits(0x3f3f3f3f));
//! ```
//!
//! The `unwrap`s are evaluated by the compiler; none is left in the program.
//! For more than some ten thousand scalars the compiler asks whether it should go on
//! (`#[allow(long_running_const_eval)]` says yes).
//!
//! # At run time
//!
//! [`Flat::to_le_bytes`](crate::Flat::to_le_bytes) writes into a caller's buffer, and
//! [`Flat::read_le_bytes`](crate::Flat::read_le_bytes) reads where the length is known only when
//! the program runs.

use crate::{Affine, Matrix, dense, lstm};

/// What is left to read. Beyond the end stand zeros; nobody gets there, because every caller has
/// compared the lengths when the program was compiled.
struct Reader<'a>(&'a [u8]);

/// `from_le_bytes` for one scalar type. A `const fn` cannot call the methods of `Real`, so the text
/// is written for both.
macro_rules! from_le_bytes {
    ($T:ident) => {
        impl Reader<'_> {
            const fn $T<const R: usize, const C: usize>(&mut self) -> Matrix<R, C, $T> {
                let mut w = Matrix::zeros();
                let mut c = 0;
                while c < C {
                    let mut r = 0;
                    while r < R {
                        if let Some((scalar, rest)) = self.0.split_first_chunk() {
                            w.0[c][r] = $T::from_le_bytes(*scalar);
                            self.0 = rest;
                        }
                        r += 1;
                    }
                    c += 1;
                }
                w
            }
        }

        impl<const R: usize, const C: usize> Matrix<R, C, $T> {
            /// The matrix in these bytes, column by column, in the [format of the
            /// crate](crate::bytes). For a `static` or a `const`; a wrong length does not compile.
            ///
            /// ```
            #[doc = concat!("type W = bptt::Matrix<2, 1, ", stringify!($T), ">;")]
            /// const FILE: &[u8; size_of::<W>()] = &[0; size_of::<W>()];
            /// static WEIGHTS: W = W::from_le_bytes(FILE);
            /// assert_eq!(WEIGHTS, W::zeros());
            /// ```
            ///
            /// ```compile_fail
            #[doc = concat!("type W = bptt::Matrix<2, 1, ", stringify!($T), ">;")]
            /// static WEIGHTS: W = W::from_le_bytes(&[0; size_of::<W>() - 1]);
            /// ```
            pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                const {
                    assert!(
                        N == size_of::<Self>(),
                        "wrong number of bytes for this type"
                    )
                };
                Reader(bytes).$T()
            }
        }

        impl<const X: usize, const A: usize> Affine<X, A, $T> {
            const fn read(reader: &mut Reader) -> Self {
                let (wa, wx, b) = (reader.$T(), reader.$T(), reader.$T());
                Affine { wa, wx, b }
            }

            /// The weights in these bytes, in the [format of the crate](crate::bytes): Wa, Wx, b.
            /// For a `static` or a `const`; a wrong length does not compile.
            ///
            /// ```
            #[doc = concat!("type Cell = bptt::rnn::Params<3, 5, ", stringify!($T), ">;")]
            /// const FILE: &[u8; size_of::<Cell>()] = &[0; size_of::<Cell>()];
            /// static CELL: Cell = Cell::from_le_bytes(FILE);
            /// assert_eq!(CELL, Cell::zeros());
            /// ```
            ///
            /// ```compile_fail
            #[doc = concat!("type Cell = bptt::rnn::Params<3, 5, ", stringify!($T), ">;")]
            /// static CELL: Cell = Cell::from_le_bytes(&[0; size_of::<Cell>() + 1]);
            /// ```
            pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                const {
                    assert!(
                        N == size_of::<Self>(),
                        "wrong number of bytes for this type"
                    )
                };
                Self::read(&mut Reader(bytes))
            }
        }

        impl<const X: usize, const A: usize> lstm::Params<X, A, $T> {
            /// The weights in these bytes, in the [format of the crate](crate::bytes): the gates
            /// forget, update, candidate, output. For a `static` or a `const`; a wrong length does
            /// not compile.
            ///
            /// ```
            #[doc = concat!("type Cell = bptt::lstm::Params<3, 5, ", stringify!($T), ">;")]
            /// const FILE: &[u8; size_of::<Cell>()] = &[0; size_of::<Cell>()];
            /// static CELL: Cell = Cell::from_le_bytes(FILE);
            /// assert_eq!(CELL, Cell::zeros());
            /// ```
            ///
            /// ```compile_fail
            #[doc = concat!("type Cell = bptt::lstm::Params<3, 5, ", stringify!($T), ">;")]
            /// static CELL: Cell = Cell::from_le_bytes(&[0; size_of::<Cell>() + 1]);
            /// ```
            pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                const {
                    assert!(
                        N == size_of::<Self>(),
                        "wrong number of bytes for this type"
                    )
                };
                let reader = &mut Reader(bytes);
                lstm::Params {
                    forget: Affine::<X, A, $T>::read(reader),
                    update: Affine::<X, A, $T>::read(reader),
                    candidate: Affine::<X, A, $T>::read(reader),
                    output: Affine::<X, A, $T>::read(reader),
                }
            }
        }

        impl<const A: usize, const Y: usize> dense::Params<A, Y, $T> {
            /// The weights in these bytes, in the [format of the crate](crate::bytes): W, b. For a
            /// `static` or a `const`; a wrong length does not compile.
            ///
            /// ```
            #[doc = concat!("type Head = bptt::dense::Params<5, 2, ", stringify!($T), ">;")]
            /// const FILE: &[u8; size_of::<Head>()] = &[0; size_of::<Head>()];
            /// static HEAD: Head = Head::from_le_bytes(FILE);
            /// assert_eq!(HEAD, Head::zeros());
            /// ```
            ///
            /// ```compile_fail
            #[doc = concat!("type Head = bptt::dense::Params<5, 2, ", stringify!($T), ">;")]
            /// static HEAD: Head = Head::from_le_bytes(&[0; size_of::<Head>() + 1]);
            /// ```
            pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                const {
                    assert!(
                        N == size_of::<Self>(),
                        "wrong number of bytes for this type"
                    )
                };
                let reader = &mut Reader(bytes);
                let (w, b) = (reader.$T(), reader.$T());
                dense::Params { w, b }
            }
        }

        impl<const A: usize, const M: usize> lstm::State<A, M, $T> {
            /// The state in these bytes, in the [format of the crate](crate::bytes): a, c. For a
            /// `static` or a `const`; a wrong length does not compile.
            ///
            /// ```
            #[doc = concat!("type State = bptt::lstm::State<5, 1, ", stringify!($T), ">;")]
            /// const FILE: &[u8; size_of::<State>()] = &[0; size_of::<State>()];
            /// static START: State = State::from_le_bytes(FILE);
            /// assert_eq!(START, State::zeros());
            /// ```
            ///
            /// ```compile_fail
            #[doc = concat!("type State = bptt::lstm::State<5, 1, ", stringify!($T), ">;")]
            /// static START: State = State::from_le_bytes(&[0; size_of::<State>() + 1]);
            /// ```
            pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                const {
                    assert!(
                        N == size_of::<Self>(),
                        "wrong number of bytes for this type"
                    )
                };
                let reader = &mut Reader(bytes);
                let (a, c) = (reader.$T(), reader.$T());
                lstm::State { a, c }
            }
        }
    };
}

from_le_bytes!(f32);
from_le_bytes!(f64);
