//! Learning-rate schedules: the factor that the learning rate has at update number `step`, counted
//! from 0.
//!
//! Plain functions of the step, without a state: a run that is continued goes on where it was. The
//! same bits on every machine.
//!
//! ```
//! use bptt::optimizer::Adam;
//! use bptt::schedule;
//!
//! let (peak, last) = (0.01_f32, 0.0001);
//! let mut adam = Adam::new(peak);
//! for step in 0..1000 {
//!     adam.learning_rate = last + (peak - last) * schedule::cosine::<f32>(step, 50..1000);
//!     // … forward, backward, update …
//! }
//! assert!(adam.learning_rate < 1.001 * last);
//! ```

use core::ops::Range;

use crate::{Real, elementary};

/// Half a cosine from 1 to 0, after a warm-up in a straight line.
///
/// Loshchilov and Hutter (2017), equation (5), without restarts. With `steps` = start..end:
///
/// | step | factor |
/// |---|---|
/// | 0 to start | (step + 1) / (start + 1) |
/// | start to end | ½·(1 + cos(π·(step − start) / (end − start))) |
/// | from end on | 0 |
///
/// Both are 1 at `start`, and no step of the warm-up has the factor 0. With 0..end there is no
/// warm-up. Where `end` is not above `start`, the factor is 0 from `start` on.
///
/// ```
/// use bptt::schedule::cosine;
///
/// let factors = [0, 1, 3, 5, 7, 11, 12].map(|step| cosine::<f32>(step, 3..11));
/// assert_eq!(factors[..3], [0.25_f32, 0.5, 1.0]);
/// assert!((factors[3] - 0.853_553_4).abs() < 1e-7);
/// assert_eq!(factors[4..], [0.5, 0.0, 0.0]);
/// ```
pub fn cosine<T: Real>(step: usize, steps: Range<usize>) -> T {
    T::from_f64(cosine_f64(step, steps.start, steps.end))
}

fn cosine_f64(step: usize, start: usize, end: usize) -> f64 {
    if step < start {
        return (step as f64 + 1.0) / (start as f64 + 1.0);
    }
    if step >= end {
        return 0.0;
    }
    let done = (step - start) as f64 / (end - start) as f64;
    // ½·(1 + cos(π·done)) = cos²(2π·done/4), which is right to the last digits near the end too.
    let root = elementary::cosine(done / 4.0);
    root * root
}

/// One factor more after every `every` steps: factor^⌊step / every⌋.
///
/// With `every` 0 there is no decay: 1.
///
/// ```
/// use bptt::schedule::step_decay;
///
/// let factors = [0, 9, 10, 25].map(|step| step_decay(step, 10, 0.5_f32));
/// assert_eq!(factors, [1.0, 1.0, 0.5, 0.25]);
/// ```
pub fn step_decay<T: Real>(step: usize, every: usize, factor: T) -> T {
    let mut exponent = step.checked_div(every).unwrap_or(0);
    // factor^exponent by the bits of the exponent, the lowest first.
    let (mut power, mut square) = (T::ONE, factor);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = power * square;
        }
        square = square * square;
        exponent /= 2;
    }
    power
}
