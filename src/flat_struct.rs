//! A network of one's own, which is flat: `flat_struct!`, and the pair that it is made of.
//!
//! A struct of a user's crate cannot be flat: that its fields are scalars in a row would be a
//! promise that nobody checks. So the values are pairs, which are structs of this crate, and the
//! user's structs are views of them: references to the parts, under their names. Nothing here needs
//! `unsafe`, and no implementation of [`Fields`] can break anything.

use core::fmt;

use crate::{Flat, flat};

/// Two values one after the other: flat, where both are, of the same scalar.
///
/// The smallest network of two layers. [`flat_struct!`](crate::flat_struct) makes pairs of pairs
/// with names.
///
/// ```
/// use bptt::{Flat, Pair, dense, lstm};
///
/// type Net = Pair<lstm::Params<6, 16>, dense::Params<16, 4>>;
/// let mut net = Net::zeros();
/// let Pair { first: cell, second: head } = &mut net;
/// cell.f.b.fill(1.0);
/// head.b.fill(0.5);
/// assert_eq!(net.as_flat().iter().sum::<f32>(), 16.0 + 2.0);
/// ```
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Pair<P, Q> {
    /// The one whose scalars come first.
    pub first: P,
    /// The other.
    pub second: Q,
}

impl<P: Flat, Q: Flat<Scalar = P::Scalar>> Pair<P, Q> {
    /// All scalars zero.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// use bptt::{Pair, Vector};
    ///
    /// static PAIR: Pair<Vector<2>, Vector<3>> = Pair::zeros();
    /// assert_eq!(PAIR.second, Vector::zeros());
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }

    /// The pair whose 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes these are, at compile time too; see
    /// [`Flat::to_le_bytes`].
    ///
    /// Another number of bytes does not compile.
    ///
    /// ```
    /// use bptt::{Pair, Vector};
    ///
    /// const BYTES: [u8; 8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0];
    /// let pair: Pair<Vector<1>, Vector<1>> = Pair::from_le_bytes(&BYTES);
    /// assert_eq!((pair.first[(0, 0)], pair.second[(0, 0)]), (1.0, -2.0));
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }
}

/// What [`flat_struct!`](crate::flat_struct) implements: the parts of a network under their names.
///
/// It can be written by hand too. It is safe: whatever it says, a [`FlatStruct`] is its `Chain` and
/// nothing else.
///
/// ```
/// use bptt::{Fields, Flat, FlatStruct, Pair, Vector};
///
/// struct Halves;
/// impl Fields for Halves {
///     type Chain = Pair<Vector<1>, Vector<1>>;
///     type Parts<'a> = [&'a Vector<1>; 2];
///     type PartsMut<'a> = [&'a mut Vector<1>; 2];
///
///     fn parts(chain: &Self::Chain) -> [&Vector<1>; 2] {
///         [&chain.first, &chain.second]
///     }
///     fn parts_mut(chain: &mut Self::Chain) -> [&mut Vector<1>; 2] {
///         [&mut chain.first, &mut chain.second]
///     }
/// }
///
/// let mut halves = FlatStruct::<Halves>::zeros();
/// halves.parts_mut()[1].fill(2.0);
/// assert_eq!(halves.as_flat(), [0.0, 2.0]);
/// ```
pub trait Fields: Sized + 'static {
    /// The values: the only part, or the first and the chain of the others in a [`Pair`].
    type Chain: Flat;
    /// A reference to each part.
    type Parts<'a>: fmt::Debug;
    /// A reference to each part, to be written.
    type PartsMut<'a>;

    /// [`FlatStruct::parts`]
    #[doc(hidden)]
    fn parts(chain: &Self::Chain) -> Self::Parts<'_>;

    /// [`FlatStruct::parts_mut`]
    #[doc(hidden)]
    fn parts_mut(chain: &mut Self::Chain) -> Self::PartsMut<'_>;
}

/// A network that [`flat_struct!`](crate::flat_struct) declares: its parts one after the other.
///
/// The field is the chain of [`Pair`]s, for constants, where `parts` cannot be called:
///
/// ```
/// use bptt::{FlatStruct, Pair, dense, lstm};
///
/// bptt::flat_struct! {
///     struct Net, NetRef, NetMut {
///         cell: lstm::Params<6, 16>,
///         head: dense::Params<16, 4>,
///     }
/// }
/// static CELL: lstm::Params<6, 16> = lstm::Params::zeros();
/// static HEAD: dense::Params<16, 4> = dense::Params::zeros();
///
/// const NET: Net = FlatStruct(Pair {
///     first: lstm::Params::zeros(),
///     second: dense::Params::zeros(),
/// });
/// assert_eq!(NET, Net::from(NetRef { cell: &CELL, head: &HEAD }));
/// ```
#[repr(transparent)]
pub struct FlatStruct<F: Fields>(pub F::Chain);

impl<F: Fields> FlatStruct<F> {
    /// All weights zero: what a gradient starts from. Its fields are reached by `parts` and
    /// `parts_mut`.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// bptt::flat_struct! {
    ///     struct Net, NetRef, NetMut { w: bptt::Matrix<2, 3>, b: bptt::Vector<2> }
    /// }
    /// static NET: Net = Net::zeros();
    /// assert_eq!(NET.parts().w[(1, 2)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }

    /// The network whose 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes these are, at compile time too;
    /// see [`Flat::to_le_bytes`].
    ///
    /// Another number of bytes does not compile.
    ///
    /// ```
    /// bptt::flat_struct! {
    ///     struct Net, NetRef, NetMut { w: bptt::Vector<1>, b: bptt::Vector<1> }
    /// }
    /// static NET: Net = Net::from_le_bytes(&[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
    /// assert_eq!(NET.parts().b[(0, 0)], -2.0);
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }

    /// The parts, by their names.
    ///
    /// ```
    /// bptt::flat_struct! {
    ///     struct Net, NetRef, NetMut { w: bptt::Matrix<2, 3>, b: bptt::Vector<2> }
    /// }
    /// let net = Net::zeros();
    /// let NetRef { w, b } = net.parts();
    /// assert_eq!((w[(1, 2)], b[(1, 0)]), (0.0, 0.0));
    /// ```
    #[inline(always)]
    pub fn parts(&self) -> F::Parts<'_> {
        F::parts(&self.0)
    }

    /// The parts, by their names, to be written.
    ///
    /// ```
    /// bptt::flat_struct! {
    ///     struct Net, NetRef, NetMut { w: bptt::Matrix<2, 3>, b: bptt::Vector<2> }
    /// }
    /// let mut net = Net::zeros();
    /// let NetMut { w, b } = net.parts_mut();
    /// w.fill(1.0);
    /// b.fill(2.0);
    /// assert_eq!(bptt::Flat::as_flat(&net), [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[inline(always)]
    pub fn parts_mut(&mut self) -> F::PartsMut<'_> {
        F::parts_mut(&mut self.0)
    }
}

impl<F: Fields> PartialEq for FlatStruct<F> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<F: Fields> fmt::Debug for FlatStruct<F> {
    /// The parts with their names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().fmt(f)
    }
}

/// Declares a network of your own, which is [`Flat`]: one slice for one optimizer, one clip, one
/// file.
///
/// Three names: that of the network, and those of what `parts` and `parts_mut` return, a struct of
/// references with the fields as they are declared. Your own methods stand at the latter two. The
/// fields are whatever is flat: parameters, matrices, arrays of them, other networks, all of one
/// scalar. Their order is the order of the scalars. The crate that uses it may
/// `forbid(unsafe_code)`.
///
/// ```
/// #![forbid(unsafe_code)]
/// use bptt::optimizer::Adam;
/// use bptt::{Cell, Flat, Matrix, Vector, dense, lstm};
///
/// bptt::flat_struct! {
///     /// An LSTM and its output layer.
///     pub struct Net, NetRef, NetMut {
///         /// 6 inputs, 16 units.
///         pub cell: lstm::Params<6, 16>,
///         /// 4 classes.
///         pub head: dense::Params<16, 4>,
///     }
/// }
///
/// impl NetRef<'_> {
///     /// One sample further.
///     fn step(self, x: &Vector<6>, state: &mut lstm::State<16, 1>) -> Vector<4> {
///         let (mut next, mut y) = (lstm::State::zeros(), Vector::zeros());
///         self.cell.step(x, state, &mut next);
///         *state = next;
///         dense::forward(self.head, &state.a, &mut y);
///         y
///     }
/// }
///
/// let (mut net, mut grads) = (Net::zeros(), Net::zeros());
/// let NetMut { cell, head } = net.parts_mut();
/// cell.f.b.fill(1.0);
/// head.b.fill(0.5);
///
/// let y = net.parts().step(&Vector::zeros(), &mut lstm::State::zeros());
/// assert_eq!(y, Vector::from_columns([[0.5; 4]]));
///
/// grads.parts_mut().head.b.fill(1.0);
/// let (mut m, mut v) = (Net::zeros(), Net::zeros());
/// let mut adam = Adam::new(0.125);
/// adam.update(net.as_flat_mut(), grads.as_flat(), m.as_flat_mut(), v.as_flat_mut())?;
/// assert!(net.parts().head.b[(0, 0)] < 0.5);
/// # Ok::<(), bptt::TrainingError>(())
/// ```
///
/// The network is an alias of [`FlatStruct`], which has `zeros`, `from_le_bytes`, `parts` and
/// `parts_mut`; what else a network can, [`Flat`] has. It is put together by
/// `Net::from(NetRef { cell: &cell, head: &head })`.
///
/// Parameters are declared with the type, constants first, each type with one bound, and one value
/// for which it stands if none is given:
///
/// ```
/// use bptt::{Real, dense, rnn};
///
/// bptt::flat_struct! {
///     /// A stack of three and its output layer, of any width and scalar.
///     pub struct Deep<const A: usize, T: Real = f32>, DeepRef, DeepMut {
///         pub first: rnn::Params<2, A, T>,
///         pub others: [rnn::Params<A, A, T>; 2],
///         pub head: dense::Params<A, 1, T>,
///     }
/// }
///
/// fn remember<const A: usize, T: Real>(net: &mut Deep<A, T>) {
///     for layer in net.parts_mut().others {
///         layer.b.fill(T::ONE);
///     }
/// }
/// let mut deep: Deep<4> = Deep::zeros();
/// remember(&mut deep);
/// assert_eq!(deep.parts().others[1].b[(3, 0)], 1.0);
/// ```
#[macro_export]
macro_rules! flat_struct {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$($rest:tt)*) => {
        $crate::__flat_struct! { [$(#[$meta])* $vis $name] [] [] [] [] $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($rest:tt)* }) => {
        ::core::compile_error! {
            "three names: `struct Net, NetRef, NetMut { … }`, the network and what `parts` and `parts_mut` return"
        }
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident, $($rest:tt)*) => {
        $crate::__flat_struct! { [$(#[$meta])* $vis $name] [] [] [] [] >, $($rest)* }
    };
}

/// The work of [`flat_struct!`]. The parameters are collected in four forms: as the alias declares
/// them, as a struct does, as an `impl` does, and as arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __flat_struct {
    // P, Q, R as Pair<P, Pair<Q, R>>, the type and the pattern.
    (@chain $only:ty) => { $only };
    (@chain $first:ty, $($rest:ty),+) => {
        $crate::Pair<$first, $crate::__flat_struct!(@chain $($rest),+)>
    };
    (@pattern $only:ident) => { $only };
    (@pattern $first:ident, $($rest:ident),+) => {
        $crate::Pair { first: $first, second: $crate::__flat_struct!(@pattern $($rest),+) }
    };

    // One parameter: followed by another, or the last.
    ($head:tt [$($alias:tt)*] [$($struct:tt)*] [$($impl:tt)*] [$($used:tt)*]
        const $n:ident: $kind:ty, $($rest:tt)*) => {
        $crate::__flat_struct! { $head [$($alias)* const $n: $kind,] [$($struct)* const $n: $kind,]
            [$($impl)* const $n: $kind,] [$($used)* $n,] $($rest)* }
    };
    ($head:tt $alias:tt $struct:tt $impl:tt $used:tt const $n:ident: $kind:ty> $($rest:tt)*) => {
        $crate::__flat_struct! { $head $alias $struct $impl $used const $n: $kind, > $($rest)* }
    };
    ($head:tt [$($alias:tt)*] [$($struct:tt)*] [$($impl:tt)*] [$($used:tt)*]
        $t:ident: $bound:path $(= $default:ty)?, $($rest:tt)*) => {
        $crate::__flat_struct! { $head [$($alias)* $t $(= $default)?,]
            [$($struct)* $t: $bound $(= $default)?,] [$($impl)* $t: $bound,] [$($used)* $t,]
            $($rest)* }
    };
    ($head:tt $alias:tt $struct:tt $impl:tt $used:tt
        $t:ident: $bound:path $(= $default:ty)?> $($rest:tt)*) => {
        $crate::__flat_struct! { $head $alias $struct $impl $used
            $t: $bound $(= $default)?, > $($rest)* }
    };

    ([$(#[$meta:meta])* $vis:vis $name:ident]
        [$($alias:tt)*] [$($struct:tt)*] [$($impl:tt)*] [$($used:tt)*]
        >, $parts:ident, $parts_mut:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)?
        }) => {
        $(#[$meta])*
        $vis type $name<$($alias)*> = $crate::FlatStruct<$parts<'static, $($used)*>>;

        #[doc = concat!("A reference to each part of a [`", stringify!($name), "`].")]
        #[derive(::core::fmt::Debug)]
        $vis struct $parts<'a, $($struct)*> {
            $($(#[$field_meta])* $field_vis $field: &'a $type,)+
        }

        #[doc = concat!("[`", stringify!($parts), "`], to be written.")]
        #[derive(::core::fmt::Debug)]
        $vis struct $parts_mut<'a, $($struct)*> {
            $($(#[$field_meta])* $field_vis $field: &'a mut $type,)+
        }

        impl<$($impl)*> $crate::Fields for $parts<'static, $($used)*> {
            type Chain = $crate::__flat_struct!(@chain $($type),+);
            type Parts<'a> = $parts<'a, $($used)*>;
            type PartsMut<'a> = $parts_mut<'a, $($used)*>;

            #[inline(always)]
            fn parts(chain: &Self::Chain) -> Self::Parts<'_> {
                let $crate::__flat_struct!(@pattern $($field),+) = chain;
                $parts { $($field),+ }
            }

            #[inline(always)]
            fn parts_mut(chain: &mut Self::Chain) -> Self::PartsMut<'_> {
                let $crate::__flat_struct!(@pattern $($field),+) = chain;
                $parts_mut { $($field),+ }
            }
        }

        impl<$($impl)*> ::core::marker::Copy for $parts<'_, $($used)*> {}
        impl<$($impl)*> ::core::clone::Clone for $parts<'_, $($used)*> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($impl)*> ::core::convert::From<$parts<'_, $($used)*>> for $name<$($used)*> {
            /// A copy of the parts.
            fn from(parts: $parts<'_, $($used)*>) -> Self {
                let mut whole = Self::zeros();
                let to = whole.parts_mut();
                $(::core::clone::Clone::clone_from(to.$field, parts.$field);)+
                whole
            }
        }
    };
}
