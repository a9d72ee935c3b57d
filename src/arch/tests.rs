//! What the loads, stores and walks check: with just as many scalars as they reach they reach the
//! right ones, with one scalar fewer they reach none.

extern crate std;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec::Vec;
use std::{assert_eq, println, vec};

use super::baseline::{Double, Single};
use super::{
    Blocks, Columns, Edge, Gates, Pairs, Panel, Part, Plain, Run, Steps, Vector, Whole, load,
    load_columns, load_gates, store, store_columns, store_gates,
};
use crate::Real;

/// 1, 2, 3 …: each number says where it stands.
fn numbers<T: Real>(n: usize) -> Vec<T> {
    (1..=n).map(|i| T::from_f64(i as f64)).collect()
}

/// Zeros and no others.
fn zeros<T: Real>(n: usize) -> Vec<T> {
    vec![T::ZERO; n]
}

fn lanes<V: Vector>(v: V) -> Vec<V::Scalar> {
    let mut lanes = zeros(V::LANES);
    v.store(&mut lanes, 0);
    lanes
}

/// The scalars of P vectors with an edge that are to be `expected`; zeros in the other lanes.
#[track_caller]
fn assert_vectors<V: Vector>(found: &[V], expected: &[V::Scalar]) {
    let found: Vec<_> = found.iter().flat_map(|v| lanes(*v)).collect();
    let (first, rest) = found.split_at(expected.len());
    assert_eq!((first, rest), (expected, &*zeros(rest.len())));
}

/// A walk over an array that is too small reaches nothing; with debug assertions it stops.
#[track_caller]
fn assert_none<I: Iterator>(walk: impl FnOnce() -> I) {
    let count = catch_unwind(AssertUnwindSafe(|| walk().count()));
    match count {
        Ok(count) => assert_eq!((count, cfg!(debug_assertions)), (0, false)),
        Err(_) => {
            let asserts = cfg!(debug_assertions);
            assert!(asserts);
        }
    }
}

/// All of what is checked, for P vectors whose last has an edge: `rows` scalars.
fn with_edge<V: Vector, E: Edge, const P: usize>(edge: E, rows: usize) {
    println!("{} lanes, {P} vectors, {rows} rows", V::LANES);
    vectors::<V, E, P>(edge, rows);
    columns::<V, E, P>(edge, rows);
    gates::<V, E, P>(edge, rows);
    panels::<V, E, P>(edge, rows);
    pairs::<V, E, P>(edge, rows);
}

fn vectors<V: Vector, E: Edge, const P: usize>(edge: E, rows: usize) {
    for i in [0, 3] {
        let from = numbers::<V::Scalar>(i + rows);
        assert_vectors(&load::<V, E, P>(&from, i, edge), &from[i..]);
        assert_vectors(&load::<V, E, P>(&from[1..], i, edge), &[]);
        assert_vectors(&load::<V, E, P>(&from, i + 1, edge), &[]);

        let v = load::<V, E, P>(&numbers(rows), 0, edge);
        let mut to = zeros(i + rows + 1);
        store(v, &mut to[..i + rows], i, edge);
        assert_eq!(to[i..i + rows], numbers(rows));
        assert_eq!((&to[..i], &to[i + rows..]), (&*zeros(i), &*zeros(1)));
        let mut to = zeros(i + rows - 1);
        store(v, &mut to, i, edge);
        assert_eq!(to, zeros(i + rows - 1));
    }
}

/// Three columns, the last in memory in the middle.
fn columns<V: Vector, E: Edge, const P: usize>(edge: E, rows: usize) {
    let (i, apart) = (3, rows + 5);
    let starts = [0, 2 * apart, apart];
    let len = 2 * apart + i + rows;
    let from = numbers::<V::Scalar>(len);
    let v = load_columns::<V, E, P, 3>(&from, starts, i, edge);
    for (v, start) in v.iter().zip(starts) {
        assert_vectors(v, &from[start + i..start + i + rows]);
    }
    for v in load_columns::<V, E, P, 3>(&from[1..], starts, i, edge) {
        assert_vectors(&v, &[]);
    }

    let mut to = zeros(len);
    store_columns(v, &mut to, starts, i, edge);
    let expected = |n| {
        let inside = |n: usize| n % apart >= i && n % apart < i + rows;
        if inside(n) { from[n] } else { V::Scalar::ZERO }
    };
    assert_eq!(to, (0..len).map(expected).collect::<Vec<_>>());
    let mut to = zeros(len - 1);
    store_columns(v, &mut to, starts, i, edge);
    assert_eq!(to, zeros(len - 1));
}

fn gates<V: Vector, E: Edge, const P: usize>(edge: E, rows: usize) {
    let (i, apart) = (3, rows + 5);
    let len = 2 * apart + i + rows;
    let all = numbers::<V::Scalar>(len);
    let v = load_gates::<V, E, 3, P>(Gates { all: &all, apart }, i, edge);
    for (g, v) in v.iter().enumerate() {
        assert_vectors(v, &all[g * apart + i..g * apart + i + rows]);
    }
    let short = Gates {
        all: &all[1..],
        apart,
    };
    for v in load_gates::<V, E, 3, P>(short, i, edge) {
        assert_vectors(&v, &[]);
    }

    let mut to = zeros(len);
    store_gates(v, &mut to, apart, i, edge);
    let expected = |n| {
        let inside = |n: usize| n % apart >= i && n % apart < i + rows;
        if inside(n) { all[n] } else { V::Scalar::ZERO }
    };
    assert_eq!(to, (0..len).map(expected).collect::<Vec<_>>());
    let mut to = zeros(len - 1);
    store_gates(v, &mut to, apart, i, edge);
    assert_eq!(to, zeros(len - 1));
}

/// The last rows of three matrices of four columns, beside two vectors u.
fn panels<V: Vector, E: Edge, const P: usize>(edge: E, rows: usize) {
    const END: usize = 4;
    let i = 2;
    let (height, starts) = (i + rows, [END + 1, 0]);
    let apart = END * height + 3;
    let w = numbers::<V::Scalar>(2 * apart + END * height);
    let u = numbers::<V::Scalar>(2 * END + 1);
    let of = |w, height, i, u| {
        Panel::<V, E, 3, P, 2>::new(Gates { all: w, apart }, height, i, (u, starts, END), edge)
    };

    let mut k = 0;
    for column in of(&w, height, i, &u) {
        for g in 0..3 {
            let v: [V; P] = core::array::from_fn(|p| column.w(g, p));
            let first = g * apart + k * height + i;
            assert_vectors(&v, &w[first..first + rows]);
        }
        // Beyond the tile the last one stands in.
        assert_eq!(lanes(column.w(3, P)), lanes(column.w(2, P - 1)));
        for (c, start) in starts.into_iter().enumerate() {
            assert_eq!(lanes(column.u(c)), vec![u[start + k]; V::LANES]);
        }
        k += 1;
    }
    assert_eq!(k, END);

    assert_none(|| of(&w[1..], height, i, &u));
    assert_none(|| of(&w, height, i, &u[1..]));
    assert_none(|| of(&w, height, i + 1, &u));
    assert_none(|| of(&w, height, usize::MAX, &u));
    assert_none(|| of(&w, usize::MAX / 2, i, &u));
}

/// The last rows of dz and of u, in three steps of two columns with something between them.
fn pairs<V: Vector, E: Edge, const P: usize>(edge: E, rows: usize) {
    const STEPS: usize = 3;
    let (i, k) = (2, 1);
    let dz_at = Columns {
        offset: 4,
        rows: i + rows,
        per_step: 2,
        stride: 2 * (i + rows) + 5,
    };
    let u_at = Columns {
        offset: 1,
        rows: k + 2,
        per_step: 2,
        stride: 2 * (k + 2) + 3,
    };
    let len = |at: Columns, steps| at.offset + (steps - 1) * at.stride + at.per_step * at.rows;
    let dz = numbers::<V::Scalar>(len(dz_at, STEPS));
    let u = numbers::<V::Scalar>(len(u_at, STEPS));
    let elsewhere = numbers::<V::Scalar>(u_at.per_step * u_at.rows);

    for elsewhere in [None, Some(&*elsewhere)] {
        let of_u = STEPS - usize::from(elsewhere.is_some());
        let u = &u[..len(u_at, of_u)];
        let of = |dz, dz_at, u, u_at, i, k| {
            Pairs::<V, E, P, 2, false>::new(
                &Steps { all: dz, at: dz_at },
                &Steps { all: u, at: u_at },
                elsewhere,
                STEPS,
                i,
                k,
                edge,
            )
        };
        let mut expected = vec![];
        for t in (0..STEPS).rev() {
            for m in 0..2 {
                let dz_n = dz_at.offset + t * dz_at.stride + m * dz_at.rows + i;
                let u_n = m * u_at.rows + k;
                let u = match elsewhere {
                    Some(first) if t == 0 => &first[u_n..],
                    _ => &u[u_at.offset + (t + of_u - STEPS) * u_at.stride + u_n..],
                };
                expected.push((&dz[dz_n..dz_n + rows], [u[0], u[1]]));
            }
        }
        let mut n = 0;
        for pair in of(&dz, dz_at, u, u_at, i, k) {
            let v: [V; P] = core::array::from_fn(|p| pair.dz(p));
            assert_vectors(&v, expected[n].0);
            // Beyond the tile the last one stands in.
            assert_eq!(lanes(pair.dz(P)), lanes(pair.dz(P - 1)));
            for c in 0..3 {
                assert_eq!(lanes(pair.u(c)), vec![expected[n].1[c.min(1)]; V::LANES]);
            }
            n += 1;
        }
        assert_eq!(n, expected.len());

        assert_none(|| of(&dz[1..], dz_at, u, u_at, i, k));
        assert_none(|| of(&dz, dz_at, &u[1..], u_at, i, k));
        assert_none(|| of(&dz, dz_at, u, u_at, i + 1, k));
        assert_none(|| of(&dz, dz_at, u, u_at, i, k + 1));
        assert_none(|| of(&dz, dz_at, u, u_at, usize::MAX, k));
        assert_none(|| of(&dz, dz_at, u, u_at, i, usize::MAX));
        let one = |at| Columns { per_step: 1, ..at };
        assert_none(|| of(&dz, one(dz_at), u, u_at, i, k));
        assert_none(|| of(&dz, dz_at, u, one(u_at), i, k));
        let none = |at| Columns { per_step: 0, ..at };
        assert_none(|| of(&dz, none(dz_at), u, none(u_at), i, k));
        for huge in [
            Columns {
                stride: usize::MAX / 2 + 1,
                ..dz_at
            },
            Columns {
                offset: usize::MAX,
                ..dz_at
            },
            Columns {
                rows: usize::MAX / 2 + 1,
                ..dz_at
            },
        ] {
            assert_none(|| of(&dz, huge, u, u_at, i, k));
        }
    }
    let short = Some(&elsewhere[1..]);
    assert_none(|| {
        Pairs::<V, E, P, 2, false>::new(
            &Steps {
                all: &dz,
                at: dz_at,
            },
            &Steps { all: &u, at: u_at },
            short,
            STEPS,
            i,
            k,
            edge,
        )
    });

    // At the edge the last row of u stands in for what is missing.
    let last = u_at.rows - 1;
    let of = |k| {
        Pairs::<V, E, P, 2, true>::new(
            &Steps {
                all: &dz,
                at: dz_at,
            },
            &Steps { all: &u, at: u_at },
            None,
            STEPS,
            i,
            k,
            edge,
        )
    };
    let pair = of(last).next().unwrap();
    assert_eq!(lanes(pair.u(1)), lanes(pair.u(0)));
    assert_eq!(lanes(pair.u(0))[0], u[len(u_at, STEPS) - u_at.rows - 1]);
    assert_eq!(of(last).count(), 2 * STEPS);
    assert_none(|| of(last + 1));
    // Without steps there is nothing to check.
    let no_steps = Pairs::<V, E, P, 2, false>::new(
        &Steps {
            all: &[],
            at: dz_at,
        },
        &Steps { all: &[], at: u_at },
        None,
        0,
        i,
        k,
        edge,
    );
    assert_eq!(no_steps.count(), 0);
}

/// Three columns of each of two matrices, beside two of dz.
fn blocks<V: Vector>() {
    const GATES: usize = 2;
    for rows in [
        1,
        V::LANES,
        2 * V::LANES,
        2 * V::LANES + 1,
        3 * V::LANES - 1,
    ] {
        let (w_at, dz_at) = ([0, 2 * rows, rows], [rows, 0]);
        let apart = [3 * rows + 5, 2 * rows + 1];
        let w = numbers::<V::Scalar>(apart[0] + 3 * rows);
        let dz = numbers::<V::Scalar>(apart[1] + 2 * rows);
        let of = |w, dz, rows| {
            let (w, dz) = (
                Gates {
                    all: w,
                    apart: apart[0],
                },
                Gates {
                    all: dz,
                    apart: apart[1],
                },
            );
            Blocks::<V, 3, 2>::new((w, w_at), (dz, dz_at), rows, GATES)
        };
        let walk = of(&w, &dz, rows);
        assert_eq!(walk.gates(), GATES);
        for g in 0..GATES {
            let mut found: [Vec<V::Scalar>; 5] = Default::default();
            let (whole, rest) = walk.gate(g);
            for block in whole {
                (0..3).for_each(|q| found[q].extend(lanes(block.w(q))));
                (0..2).for_each(|c| found[3 + c].extend(lanes(block.dz(c))));
            }
            assert_eq!(found[0].len(), rows / V::LANES * V::LANES);
            assert_eq!(rest.is_some(), rows % V::LANES > 0);
            if let Some(rest) = rest {
                (0..3).for_each(|q| found[q].extend(lanes(rest.w(q))));
                (0..2).for_each(|c| found[3 + c].extend(lanes(rest.dz(c))));
            }
            for (found, start) in found.iter().zip([
                &w[g * apart[0] + w_at[0]..],
                &w[g * apart[0] + w_at[1]..],
                &w[g * apart[0] + w_at[2]..],
                &dz[g * apart[1] + dz_at[0]..],
                &dz[g * apart[1] + dz_at[1]..],
            ]) {
                assert_eq!(found[..rows], start[..rows]);
                assert_eq!(found[rows..], zeros(found.len() - rows));
            }
        }
        // There is no gate beyond the last.
        let (mut whole, rest) = walk.gate(GATES);
        assert!(whole.next().is_none() && rest.is_none());

        let gates = |walk: Blocks<V, 3, 2>| 0..walk.gates();
        assert_none(|| gates(of(&w[1..], &dz, rows)));
        assert_none(|| gates(of(&w, &dz[1..], rows)));
        assert_none(|| gates(of(&w, &dz, usize::MAX)));
    }
}

#[test]
fn runs_of_columns_lie_within_a_slice() {
    let all = [0_f32; 20];
    let holds = |len: usize, at, on, count| {
        let of = &all[..len];
        Run {
            of,
            rows: 3,
            at,
            on,
        }
        .holds(count)
    };
    // Four columns on from 2, 5 apart; the same ones back from the last.
    assert!(holds(20, 2, 5, 4) && !holds(19, 2, 5, 4) && !holds(20, 2, 5, 5));
    let back = 5_usize.wrapping_neg();
    assert!(holds(20, 17, back, 4) && !holds(19, 17, back, 4) && !holds(20, 17, back, 5));
    assert!(holds(20, 17, 5, 1) && !holds(20, 18, 5, 1));
    for (at, on, count) in [
        (usize::MAX, 5, 1),
        (2, usize::MAX / 4, 9),
        (2, 5, usize::MAX),
    ] {
        assert!(!holds(20, at, on, count));
    }
}

fn all<V: Vector>() {
    with_edge::<V, Whole, 1>(Whole, V::LANES);
    with_edge::<V, Whole, 3>(Whole, 3 * V::LANES);
    for lanes in 1..V::LANES {
        with_edge::<V, Part, 1>(Part::of::<V>(lanes), lanes);
        with_edge::<V, Part, 3>(Part::of::<V>(lanes), 2 * V::LANES + lanes);
    }
    // A part of a wider vector fits nowhere.
    let from = numbers::<V::Scalar>(64);
    let wide = Part::of::<Plain<f32, 16>>(V::LANES);
    assert_vectors(&load::<V, Part, 1>(&from, 0, wide), &[]);
    blocks::<V>();
}

#[test]
fn nothing_is_reached_beyond_an_array() {
    all::<Single>();
    all::<Double>();
    all::<Plain<f32, 4>>();
    all::<Plain<f64, 2>>();
}

/// The sum of the lanes: the upper half is added to the lower, until one is left.
fn halves<T: Real>(lanes: &[T]) -> T {
    match *lanes {
        [one] => one,
        _ => {
            let (lower, upper) = lanes.split_at(lanes.len() / 2);
            let sums = lower.iter().zip(upper).map(|(l, u)| *l + *u);
            halves(&sums.collect::<Vec<_>>())
        }
    }
}

/// With numbers whose sum depends on the order.
fn sums<V: Vector>() {
    let number = |i: usize| V::Scalar::from_f64([0.1, 3e7, -0.7, 1e-3][i % 4] / (i + 1) as f64);
    let from: Vec<V::Scalar> = (0..4 * V::LANES).map(number).collect();
    let vectors: [V; 4] = core::array::from_fn(|n| V::load(&from, n * V::LANES));
    let expected: [_; 4] = core::array::from_fn(|n| halves(&from[n * V::LANES..][..V::LANES]));
    assert_eq!(vectors.map(|v| v.sum()), expected);
    assert_eq!(V::sums(vectors), expected);
}

#[test]
fn lanes_are_added_up_by_halves() {
    sums::<Single>();
    sums::<<Single as Vector>::Sixteen>();
    sums::<Double>();
    sums::<<Double as Vector>::Sixteen>();
    sums::<Plain<f32, 1>>();
    sums::<Plain<f32, 2>>();
    sums::<Plain<f32, 4>>();
    sums::<Plain<f32, 16>>();
    sums::<Plain<f64, 16>>();
}
