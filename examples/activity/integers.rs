//! The network in integers: what runs on a device without a floating-point unit, or with little flash.

use std::error::Error;

use bptt::quantized::{self, Cell, Dense, Scale, Weight};
use bptt::{gru, lstm, rnn};

use crate::data::Recording;
use crate::model::{A, Net, Recurrent, X, Y};

/// A cell of which there is one in integers.
pub trait Integers: Recurrent {
    type Cell<W: Weight>: Cell<6, 16, Float = Self, Scales = Scale>;

    /// All weights zero.
    fn in_integers<W: Weight>() -> Self::Cell<W>;
}

impl Integers for rnn::Params<X, A> {
    type Cell<W: Weight> = quantized::Rnn<X, A, W>;

    fn in_integers<W: Weight>() -> Self::Cell<W> {
        quantized::Rnn::zeros()
    }
}

impl Integers for lstm::Params<X, A> {
    type Cell<W: Weight> = quantized::Lstm<X, A, W>;

    fn in_integers<W: Weight>() -> Self::Cell<W> {
        quantized::Lstm::zeros()
    }
}

impl Integers for gru::ResetAfter<X, A> {
    type Cell<W: Weight> = quantized::ResetAfter<X, A, W>;

    fn in_integers<W: Weight>() -> Self::Cell<W> {
        quantized::ResetAfter::zeros()
    }
}

/// Quantises the network, with the scale of the samples it was trained on, classifies the test
/// recordings, and prints how many are right and what the network takes.
pub fn print<C: Integers, W: Weight>(
    net: &Net<C>,
    training: &[Recording],
    test: &[Recording],
) -> Result<(), Box<dyn Error>> {
    let samples = training.iter().flat_map(|recording| &recording.samples);
    let scale = samples.fold(Scale::new(30), |scale, x| scale.coarser(Scale::of(x)));
    let (mut cell, mut head) = (C::in_integers::<W>(), Dense::<A, Y, W>::zeros());
    cell.quantize(net.parts().cell, scale)?;
    head.quantize(net.parts().head, cell.a_scale())?;
    let mut right = 0;
    for recording in test {
        let y = outputs(&cell, &head, &recording.samples)?;
        let class = (0..Y).max_by_key(|k| y[*k]);
        right += usize::from(class == Some(recording.class));
    }
    println!(
        "in integers, weights of {} bits: {right} of {} test recordings right, {} bytes of flash\n",
        8 * size_of::<W>(),
        test.len(),
        C::Cell::<W>::BYTES + Dense::<A, Y, W>::BYTES
    );
    Ok(())
}

/// (1) to (3) of `model` for a whole recording, the mean rounded to one integer a unit.
fn outputs<C: Cell<6, 16>, W: Weight>(
    cell: &C,
    head: &Dense<A, Y, W>,
    samples: &[[f32; X]],
) -> Result<[i32; Y], Box<dyn Error>> {
    let (mut state, mut next) = (C::State::<1>::default(), C::State::default());
    let mut sums = [0; A];
    for sample in samples {
        let mut x = [[0; X]];
        cell.x_scale().quantize(sample, &mut x[0])?; // what is too large saturates
        cell.step(&x, &state, &mut next); // (1)
        std::mem::swap(&mut state, &mut next);
        for (sum, a) in sums.iter_mut().zip(&C::a(&state)[0]) {
            *sum += i64::from(*a);
        }
    }
    let t = samples.len() as i64;
    let mean = sums.map(|sum| (sum + t / 2).div_euclid(t) as i16); // (2)
    let mut y = [[0; Y]];
    head.forward(&[mean], &mut y); // (3)
    Ok(y[0])
}
