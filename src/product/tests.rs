//! The fast products against the plain loops, bit for bit, for every shape of a tile's edge: on
//! this machine's vectors, and on the arrays that stand for vectors elsewhere.

extern crate std;

use std::vec::Vec;

use super::plain;
use crate::Real;
use crate::activation::Constants;
use crate::arch::{Columns, Core as _, Gates, Plain, Run, Steps, StepsMut, Vector};

/// Rows, columns: below, at and above each width of a vector and of a tile.
const SIZES: [usize; 14] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 66];
/// (steps, samples a step)
const SEQUENCES: [(usize, usize); 9] = [
    (1, 1),
    (1, 2),
    (1, 5),
    (3, 1),
    (2, 3),
    (1, 8),
    (3, 4),
    (9, 1),
    (2, 7),
];
const GATES: usize = 2;

/// Numbers of both signs with all their digits in use.
fn numbers<T: Real>(n: usize, seed: u64) -> Vec<T> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        T::from_f64((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)
    };
    (0..n).map(|_| next()).collect()
}

#[track_caller]
fn assert_same_bits<T: Real>(found: &[T], expected: &[T], what: std::fmt::Arguments) {
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found.to_f64().to_bits() == expected.to_f64().to_bits();
        assert!(same, "{what}: scalar {i} is {found}, not {expected}");
    }
}

/// A sequence whose steps have something else between them, as the gates in a cache have.
fn apart(rows: usize, per_step: usize) -> Columns {
    Columns {
        offset: 3,
        rows,
        per_step,
        stride: rows * per_step + 1,
    }
}

fn len(at: Columns, steps: usize) -> usize {
    at.offset + steps * at.stride
}

fn starts(at: Columns, steps: usize) -> Vec<usize> {
    let start = |t: usize, m: usize| at.offset + t * at.stride + m * at.rows;
    (0..steps)
        .flat_map(|t| (0..at.per_step).map(move |m| start(t, m)))
        .collect()
}

/// The functions under test.
#[allow(clippy::type_complexity)] // Each is the type of a function as it stands.
struct Products<T> {
    forward: fn(&[T], Option<&[T]>, &Steps<T>, StepsMut<T>, usize),
    transposed: fn(Gates<T>, usize, &Steps<T>, usize, StepsMut<T>, usize, bool),
    outer: fn(&mut [T], &Steps<T>, &Steps<T>, Option<&[T]>, usize),
    add_columns: fn(&mut [T], &Steps<T>, usize),
}

fn of_machine<T: Real>() -> Products<T> {
    Products {
        forward: T::Core::forward,
        transposed: T::Core::transposed,
        outer: T::Core::outer,
        add_columns: T::Core::add_columns,
    }
}

fn of<V: Vector>() -> Products<V::Scalar> {
    Products {
        forward: super::forward::<V>,
        transposed: super::transposed::<V>,
        outer: super::outer::<V>,
        add_columns: super::add_columns::<V>,
    }
}

/// The forms for a core without vectors.
fn one_by_one<V: Vector>() -> Products<V::Scalar> {
    Products {
        forward: super::forward::one_by_one::<V>,
        transposed: super::transposed::one_by_one::<V>,
        outer: super::outer::one_by_one::<V>,
        add_columns: super::outer::add_one_by_one,
    }
}

fn all<T: Constants>(products: &Products<T>) {
    for rows in SIZES {
        for columns in SIZES {
            for (steps, samples) in SEQUENCES {
                forward(products, rows, columns, steps, samples);
                transposed(products, rows, columns, steps, samples);
                outer(products, rows, columns, steps, samples);
            }
        }
    }
}

fn forward<T: Real>(products: &Products<T>, rows: usize, k: usize, steps: usize, samples: usize) {
    let (w, bias) = (numbers::<T>(rows * k, 1), numbers::<T>(rows, 2));
    for (u_at, z_at) in [
        (Columns::matrix((0, 1), (k, samples)), apart(rows, samples)),
        (apart(k, samples), Columns::matrix((0, 1), (rows, samples))),
    ] {
        let u = numbers::<T>(len(u_at, steps), 3);
        let start = numbers::<T>(len(z_at, steps), 4);
        for bias in [None, Some(bias.as_slice())] {
            let mut expected = start.clone();
            for (u_n, z_n) in starts(u_at, steps).into_iter().zip(starts(z_at, steps)) {
                let z = &mut expected[z_n..z_n + rows];
                if let Some(bias) = bias {
                    z.copy_from_slice(bias);
                }
                plain::forward(&w, &u[u_n..u_n + k], z);
            }
            let mut found = start.clone();
            (products.forward)(
                &w,
                bias,
                &Steps { all: &u, at: u_at },
                StepsMut {
                    all: &mut found,
                    at: z_at,
                },
                steps * samples,
            );
            assert_same_bits(
                &found,
                &expected,
                format_args!("forward {rows} {k} {steps} {samples}"),
            );
        }
    }
}

fn transposed<T: Real>(
    products: &Products<T>,
    rows: usize,
    k: usize,
    steps: usize,
    samples: usize,
) {
    let w = numbers::<T>(GATES * (rows * k + 7), 1);
    let w = Gates {
        all: &w,
        apart: rows * k + 7,
    };
    let (gate, du_at) = (rows * samples, Columns::matrix((0, 1), (k, samples)));
    let dz_at = Columns {
        offset: 0,
        rows,
        per_step: samples,
        stride: (GATES + 1) * gate,
    };
    let dz = numbers::<T>(len(dz_at, steps), 2);
    for add in [false, true] {
        let mut expected = numbers::<T>(len(du_at, steps), 3);
        let mut found = expected.clone();
        for (dz_n, du_n) in starts(dz_at, steps).into_iter().zip(starts(du_at, steps)) {
            let dz = [&dz[dz_n..dz_n + rows], &dz[dz_n + gate..dz_n + gate + rows]];
            let w = [w.part(0, 0, rows * k), w.part(1, 0, rows * k)];
            let mut sums = std::vec![T::ZERO; k];
            plain::transposed(&w, &dz, &mut sums);
            for (du, sum) in expected[du_n..du_n + k].iter_mut().zip(sums) {
                *du = if add { *du + sum } else { sum };
            }
        }
        (products.transposed)(
            w,
            GATES,
            &Steps {
                all: &dz,
                at: dz_at,
            },
            gate,
            StepsMut {
                all: &mut found,
                at: du_at,
            },
            steps * samples,
            add,
        );
        assert_same_bits(
            &found,
            &expected,
            format_args!("transposed {rows} {k} {steps} {samples} {add}"),
        );
    }
}

fn outer<T: Real>(products: &Products<T>, rows: usize, k: usize, steps: usize, samples: usize) {
    let (dz_at, u_at) = (apart(rows, samples), Columns::matrix((0, 1), (k, samples)));
    let (dz, u) = (
        numbers::<T>(len(dz_at, steps), 1),
        numbers::<T>(len(u_at, steps), 2),
    );
    let (mut expected, mut db) = (numbers::<T>(rows * k, 3), numbers::<T>(rows, 4));
    let (mut found, mut found_db) = (expected.clone(), db.clone());
    for t in (0..steps).rev() {
        for m in 0..samples {
            let dz_n = dz_at.offset + t * dz_at.stride + m * rows;
            let u_n = t * u_at.stride + m * k;
            let dz = &dz[dz_n..dz_n + rows];
            plain::outer(&mut expected, dz, &u[u_n..u_n + k]);
            plain::outer(&mut db, dz, &[T::ONE]);
        }
    }
    let mut elsewhere = found.clone();
    (products.outer)(
        &mut found,
        &Steps {
            all: &dz,
            at: dz_at,
        },
        &Steps { all: &u, at: u_at },
        None,
        steps,
    );
    let (first, later) = u.split_at(k * samples);
    (products.outer)(
        &mut elsewhere,
        &Steps {
            all: &dz,
            at: dz_at,
        },
        &Steps {
            all: later,
            at: u_at,
        },
        Some(first),
        steps,
    );
    assert_same_bits(
        &elsewhere,
        &expected,
        format_args!("first elsewhere {rows} {k} {steps} {samples}"),
    );
    (products.add_columns)(
        &mut found_db,
        &Steps {
            all: &dz,
            at: dz_at,
        },
        steps,
    );
    let what = std::format!("outer {rows} {k} {steps} {samples}");
    assert_same_bits(&found, &expected, format_args!("{what}"));
    assert_same_bits(&found_db, &db, format_args!("db, {what}"));
}

#[test]
fn products_of_this_machine() {
    all(&of_machine::<f32>());
    all(&of_machine::<f64>());
}

#[test]
fn products_of_arrays() {
    all(&of::<Plain<f32, 4>>());
    all(&of::<Plain<f32, 2>>());
    all(&of::<Plain<f64, 2>>());
}

#[test]
fn products_without_vectors() {
    all(&one_by_one::<Plain<f32, 4>>());
    all(&one_by_one::<Plain<f32, 1>>());
    all(&one_by_one::<Plain<f64, 2>>());
}

/// Loops in assembly may leave rows of the outer product to the plain form, from any row on.
#[test]
fn rows_that_are_left() {
    const ROWS: usize = 7;
    const K: usize = 3;
    const COUNT: usize = 4;
    let (dz, u) = (numbers(ROWS * COUNT, 1), numbers(K * COUNT, 2));
    let before = numbers::<f32>(ROWS * K, 3);
    let run = |of, rows| Run {
        of,
        rows,
        at: 0,
        on: rows,
    };
    for done in [0, 4, 6] {
        let (mut expected, mut found) = (before.clone(), before.clone());
        for n in 0..COUNT {
            plain::outer(&mut expected, &dz[n * ROWS..][..ROWS], &u[n * K..][..K]);
        }
        for k in 0..K {
            let untouched = k * ROWS..k * ROWS + done;
            expected[untouched.clone()].copy_from_slice(&before[untouched]);
        }
        super::outer::add_products(&mut found, run(&dz, ROWS), run(&u, K), COUNT, done);
        assert_same_bits(&found, &expected, format_args!("rows from {done} on"));
    }
}
