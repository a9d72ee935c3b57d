//! A user's own network is flat: declared by `flat_struct!` in a crate that has no `unsafe`, with
//! any number of parts, parameters and networks in networks; one slice, one file, one optimizer.
//! What must not compile is in `tests/compile_fail.rs`.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use bptt::optimizer::{Adam, clip_by_global_norm};
use bptt::{
    Flat, FlatStruct, LengthMismatch, Matrix, Pair, Real, TrainingError, Vector, dense, lstm, rnn,
};

/// As another module of a user's crate.
pub mod networks {
    use bptt::{Real, dense, gru, lstm, rnn};

    bptt::flat_struct! {
        /// An LSTM and its output layer.
        pub struct Net, NetRef, NetMut {
            /// 6 inputs, 16 units.
            pub cell: lstm::Params<6, 16>,
            /// 4 classes.
            pub head: dense::Params<16, 4>,
        }
    }

    bptt::flat_struct! {
        /// One part.
        pub struct One<T: Real = f32>, OneRef, OneMut {
            /// The part.
            pub only: rnn::Params<2, 3, T>,
        }
    }

    bptt::flat_struct! {
        /// Parts of all kinds, of any shape and scalar.
        pub struct Many<const A: usize, const Y: usize, T: Real>, ManyRef, ManyMut {
            /// A network.
            pub inner: One<T>,
            /// Layers that are alike.
            pub layers: [rnn::Params<3, 3, T>; 2],
            /// A GRU of each kind.
            pub grus: bptt::Pair<gru::ResetAfter<1, 2, T>, gru::ResetBefore<2, 1, T>>,
            /// A cell in a wrapper.
            pub relu: rnn::Relu<1, 1, T>,
            /// A state that is learnt.
            pub start: lstm::State<A, 1, T>,
            /// The output layer.
            pub head: dense::Params<A, Y, T>,
        }
    }

    bptt::flat_struct! {
        /// Around any cell.
        pub struct Around<const A: usize, C: bptt::Flat<Scalar = f32>>, AroundRef, AroundMut {
            /// The cell.
            pub cell: C,
            /// A number for each unit.
            pub scale: bptt::Vector<A>,
        }
    }
}
use networks::{Around, Many, ManyMut, Net, NetMut, NetRef, One};

// ------------------------------------------------------------------------------------ when compiling

static NET: Net = Net::zeros();
const _: () = {
    assert!(Net::LEN == 4 * 16 * (16 + 6 + 1) + 4 * (16 + 1));
    assert!(size_of::<Net>() == 4 * Net::LEN && align_of::<Net>() == 4);
    assert!(Many::<4, 2, f64>::LEN == 3 * 6 + 2 * 3 * 7 + 26 + 12 + 3 + 2 * 4 + 2 * 5);
    assert!(size_of::<Many<4, 2, f64>>() == 8 * Many::<4, 2, f64>::LEN);
    assert!(Around::<5, Net>::LEN == Net::LEN + 5);
};

/// The numbers 1, 2, 3, … as bytes.
const fn numbers<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        let number = ((i / 4 + 1) as f32).to_le_bytes();
        bytes[i] = number[i % 4];
        i += 1;
    }
    bytes
}
static READ: One = One::from_le_bytes(&numbers::<{ size_of::<One>() }>());

/// A file as large as that of a network of 256 units; the compiler does not ask whether it should
/// go on.
static LARGE: lstm::Params<128, 256> =
    lstm::Params::from_le_bytes(&[0; size_of::<lstm::Params<128, 256>>()]);

#[test]
fn constants() {
    assert!(NET.as_flat().iter().all(|&w| w == 0.0));
    assert!(LARGE.as_flat().iter().all(|&w| w == 0.0));
    assert!(
        READ.as_flat()
            .iter()
            .copied()
            .eq((1..=18).map(|n| n as f32))
    );
    assert_eq!(
        READ.parts().only.b,
        Vector::from_columns([[16.0, 17.0, 18.0]])
    );
    const TWO: Pair<Vector<1>, Vector<2>> = Pair {
        first: Vector::from_columns([[1.0]]),
        second: Vector::from_columns([[2.0, 3.0]]),
    };
    assert_eq!(TWO.as_flat(), [1.0, 2.0, 3.0]);
}

// ------------------------------------------------------------------------------------------- parts

/// A value whose scalars are 0, 1, 2, …
fn counted<F: Flat>() -> F {
    let mut value = F::ZEROS;
    for (i, scalar) in value.as_flat_mut().iter_mut().enumerate() {
        *scalar = F::Scalar::from_usize(i);
    }
    value
}

/// The scalars of a part of a counted value: a row of numbers, the first of which is `first`.
/// Returns the first of the next.
#[track_caller]
fn follows<F: Flat>(part: &F, first: usize) -> usize {
    let numbers = (first..first + F::LEN).map(F::Scalar::from_usize);
    assert!(part.as_flat().iter().copied().eq(numbers));
    first + F::LEN
}

fn parts_stand_in_their_order<T: Real>() {
    let mut many: Many<4, 2, T> = counted();
    let parts = many.parts();
    let end = follows(parts.inner.parts().only, 0);
    let end = follows(&parts.layers[0], end);
    let end = follows(&parts.layers[1], end);
    let end = follows(&parts.grus.first.n, end + 2 * 8);
    let end = follows(&parts.grus.first.bna, end);
    let end = follows(&parts.grus.second, end);
    let end = follows(&parts.relu.0, end);
    let end = follows(&parts.start.a, end);
    let end = follows(&parts.start.c, end);
    let end = follows(&parts.head.w, end);
    let end = follows(&parts.head.b, end);
    assert_eq!(end, many.as_flat().len());

    // What is written through the parts is in the slice, and the other way round.
    let ManyMut {
        inner,
        layers: [_, last],
        head,
        ..
    } = many.parts_mut();
    inner.parts_mut().only.wa.fill(T::ONE);
    last.b.fill(T::ONE);
    head.set_zeros();
    let ones = |x: &[T]| x.iter().all(|&x| x == T::ONE);
    assert!(ones(&many.as_flat()[..9]) && ones(&many.as_flat()[18 + 39..18 + 42]));
    assert!(
        many.as_flat()[18 + 42 + 41 + 8..]
            .iter()
            .all(|&x| x == T::ZERO)
    );
    many.as_flat_mut().fill(T::ONE);
    assert!(ones(many.parts().start.c.as_flat()));
}

#[test]
fn parts_in_both_scalars() {
    parts_stand_in_their_order::<f32>();
    parts_stand_in_their_order::<f64>();
}

#[test]
fn views_and_bytes() -> Result<(), LengthMismatch> {
    let net: Net = counted();
    let mut weights = net.as_flat().to_vec();
    assert_eq!(Net::from_flat(&weights)?, &net);
    Net::from_flat_mut(&mut weights)?
        .parts_mut()
        .head
        .b
        .fill(-1.0);
    assert_eq!(weights[Net::LEN - 4..], [-1.0; 4]);
    assert_eq!(
        Net::from_flat(&weights[1..]).unwrap_err().expected,
        Net::LEN
    );

    let mut file = [0; size_of::<Net>()];
    net.to_le_bytes(&mut file)?;
    assert_eq!(Net::from_le_bytes(&file), net);
    let (cell, head) = file.split_at(size_of::<lstm::Params<6, 16>>());
    assert_eq!(
        &lstm::Params::from_le_bytes(cell.first_chunk::<{ 4 * 4 * 16 * 23 }>().unwrap()),
        net.parts().cell
    );
    assert_eq!(
        &dense::Params::from_le_bytes(head.first_chunk::<{ 4 * 4 * 17 }>().unwrap()),
        net.parts().head
    );
    Ok(())
}

#[test]
fn values() {
    let net: Net = counted();
    let NetRef { cell, head } = net.parts();
    assert_eq!(Net::from(NetRef { cell, head }), net);
    assert_eq!(
        FlatStruct(Pair {
            first: cell.clone(),
            second: head.clone()
        }),
        net
    );
    assert_eq!(Net::default(), Net::zeros());
    assert_eq!(Net::ZEROS, Net::zeros());

    let mut other = net.clone();
    assert_eq!(other, net);
    other.parts_mut().head.b.fill(0.5);
    assert_ne!(other, net);
    other.clone_from(&net);
    assert_eq!(other, net);
    other.set_zeros();
    assert_eq!(other, Net::zeros());

    let one = format!("{:?}", One::<f32>::zeros());
    assert!(
        one.starts_with("OneRef { only: Affine { wa: Matrix("),
        "{one}"
    );

    let around: Around<2, Net> = counted();
    follows(around.parts().scale, Net::LEN);
    follows(around.parts().cell.parts().head, lstm::Params::<6, 16>::LEN);
}

/// The names that the macro uses itself, and a module that sees nothing of the standard library.
#[test]
fn names_of_the_user_do_not_matter() {
    #[no_implicit_prelude]
    mod bare {
        ::bptt::flat_struct! {
            pub(super) struct Pair, Fields, FlatStruct {
                pub(super) chain: ::bptt::Vector<1>,
                pub(super) whole: ::bptt::Vector<2>,
                pub(super) parts: ::bptt::Vector<3>,
                pub(super) to: ::bptt::Vector<4>,
                pub(super) first: ::bptt::Vector<5>,
            }
        }
    }
    let pair: bare::Pair = counted();
    let bare::Fields {
        chain,
        whole,
        parts,
        to,
        first,
    } = pair.parts();
    assert_eq!(
        bare::Pair::from(bare::Fields {
            first,
            to,
            parts,
            whole,
            chain
        }),
        pair
    );
    let end = follows(whole, follows(chain, 0));
    follows(first, follows(to, follows(parts, end)));
}

// ---------------------------------------------------------------------------------------- training

/// One optimizer and one clip over the whole are the same as one over each slice.
#[test]
fn one_optimizer_serves_all_parts() -> Result<(), TrainingError> {
    let (mut net, mut grads): (Net, Net) = (counted(), Net::zeros());
    let (mut m, mut v) = (Net::zeros(), Net::zeros());
    let (mut apart, mut m_apart, mut v_apart) = (net.clone(), Net::zeros(), Net::zeros());
    let (mut adam, mut adam_cell, mut adam_head) = (Adam::new(0.1), Adam::new(0.1), Adam::new(0.1));
    for step in 1..4 {
        for (i, g) in grads.as_flat_mut().iter_mut().enumerate() {
            *g = (i as f32 - 700.0) / step as f32;
        }
        let mut clipped = grads.clone();
        let whole = clip_by_global_norm(&mut [clipped.as_flat_mut()], 1.0);
        let NetMut { cell, head } = grads.parts_mut();
        let parts = clip_by_global_norm(&mut [cell.as_flat_mut(), head.as_flat_mut()], 1.0);
        assert_eq!(whole, parts);
        assert_eq!(clipped, grads);

        adam.update(
            net.as_flat_mut(),
            grads.as_flat(),
            m.as_flat_mut(),
            v.as_flat_mut(),
        )?;
        let (w, g) = (apart.parts_mut(), grads.parts());
        let (m, v) = (m_apart.parts_mut(), v_apart.parts_mut());
        adam_cell.update(
            w.cell.as_flat_mut(),
            g.cell.as_flat(),
            m.cell.as_flat_mut(),
            v.cell.as_flat_mut(),
        )?;
        adam_head.update(
            w.head.as_flat_mut(),
            g.head.as_flat(),
            m.head.as_flat_mut(),
            v.head.as_flat_mut(),
        )?;
        assert_eq!(net, apart);
    }
    assert_ne!(net, counted());
    Ok(())
}

/// Code for any cell needs no constructor of its own.
#[test]
fn zeros_of_any_type() {
    fn sequence<F: Flat, const T: usize>() -> [F; T] {
        [F::ZEROS; T]
    }
    let states: [lstm::State<4, 2, f64>; 3] = sequence();
    assert_eq!(states.as_flat().len(), 3 * 2 * 4 * 2);
    assert_eq!(<[rnn::Params<2, 3>; 2]>::LEN, 2 * 18);
    assert_eq!(Flat::slice_as_flat(&states), states.as_flat());
    let two = <[Matrix<1, 2>; 2]>::from_flat(&[1.0, 2.0, 3.0, 4.0]).unwrap();
    assert_eq!(two[1][(0, 1)], 4.0);
}
