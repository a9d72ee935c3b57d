//! LSTM (6, 16), dense (16, 4): `network.safetensors`, written by the example `import` of the crate `bptt`.
//!
//! The weights are in `activity.bin`, which stands beside this file.

use bptt::{Cell, Vector, dense, lstm};

/// Inputs of a step.
pub const X: usize = 6;
/// Outputs of a step.
pub const Y: usize = 4;

const FILE: &[u8; 6160] = include_bytes!("activity.bin");

/// `N` bytes of the file, from `start` on. A file of another length does not compile.
const fn part<const N: usize>(start: usize) -> [u8; N] {
    *FILE.split_at(start).1.first_chunk().unwrap()
}

static LAYER_1: lstm::Params<6, 16> = lstm::Params::from_le_bytes(&part::<5888>(0));
static LAYER_2: dense::Params<16, 4> = dense::Params::from_le_bytes(&part::<272>(5888));

/// What the network remembers: of each recurrent layer the last state, and room for the next.
#[derive(Clone, Debug)]
pub struct Network {
    layer_1: [lstm::State<16, 1>; 2],
    /// Whether the second state of each pair is the last one.
    second: bool,
}

impl Network {
    /// Before the first input.
    pub const fn new() -> Self {
        Network {
            layer_1: [const { lstm::State::zeros() }; 2],
            second: false,
        }
    }

    /// Forgets all inputs.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// The outputs after one more input.
    pub fn step(&mut self, x: &[f32; X]) -> [f32; Y] {
        let input = Vector::from_columns([*x]);
        let (last, layer_1) = turn(&mut self.layer_1, self.second);
        LAYER_1.step(&input, last, layer_1);
        let mut layer_2 = Vector::zeros();
        dense::forward(&LAYER_2, &layer_1.a, &mut layer_2);
        self.second = !self.second;
        let [y] = *layer_2.columns();
        y
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

/// The last state, and the place of the next.
fn turn<S>([first, second]: &mut [S; 2], second_is_last: bool) -> (&S, &mut S) {
    if second_is_last {
        (second, first)
    } else {
        (first, second)
    }
}

// For C: activity.h has the same.
const _: () = assert!(size_of::<Network>() <= 4 * 65 && align_of::<Network>() <= 4);

/// [`Network::reset`], and before the first step.
///
/// # Safety
/// `network` can be written, and nobody else uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn activity_reset(network: *mut Network) {
    // SAFETY: the caller says that it can be written.
    unsafe { network.write(Network::new()) }
}

/// [`Network::step`].
///
/// # Safety
/// `network` has been reset, there are X numbers at `x` and place for Y at `y`, and nobody else uses
/// any of it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn activity_step(
    network: *mut Network,
    x: *const [f32; X],
    y: *mut [f32; Y],
) {
    // SAFETY: the caller says that all of it is there.
    unsafe { y.write((*network).step(&*x)) }
}
