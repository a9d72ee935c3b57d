//! LSTM (6, 16), dense (16, 4), weights in i8: `network.safetensors`, written by the example `import` of the crate `bptt`.
//!
//! The weights are in `activity_i8.bin`, which stands beside this file.

use bptt::quantized::{Cell, Dense, Lstm, Scale, State};

/// Inputs of a step.
pub const X: usize = 6;
/// Outputs of a step.
pub const Y: usize = 4;
/// What one of an input stands for, 2^-13: `X_SCALE.quantize` makes inputs of f32.
pub const X_SCALE: Scale = Scale::new(13);
/// What one of an output stands for, 2^-16.
pub const Y_SCALE: Scale = Scale::new(16);

const FILE: &[u8; 2024] = include_bytes!("activity_i8.bin");

/// `N` bytes of the file, from `start` on. A file of another length does not compile.
const fn part<const N: usize>(start: usize) -> [u8; N] {
    *FILE.split_at(start).1.first_chunk().unwrap()
}

static LAYER_1: Lstm<6, 16, i8> = Lstm::from_le_bytes(&part::<1924>(0));
static LAYER_2: Dense<16, 4, i8> = Dense::from_le_bytes(&part::<100>(1924));

/// What the network remembers: of each recurrent layer the last state, and room for the next.
#[derive(Clone, Debug)]
pub struct Network {
    layer_1: [State<16, 1>; 2],
    /// Whether the second state of each pair is the last one.
    second: bool,
}

impl Network {
    /// Before the first input.
    pub const fn new() -> Self {
        Network {
            layer_1: [const {
                State {
                    a: [[0; 16]],
                    c: [[0; 16]],
                }
            }; 2],
            second: false,
        }
    }

    /// Forgets all inputs.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// The outputs after one more input.
    pub fn step(&mut self, x: &[i16; X]) -> [i32; Y] {
        let input = [*x];
        let (last, layer_1) = turn(&mut self.layer_1, self.second);
        LAYER_1.step(&input, last, layer_1);
        let mut y = [[0; Y]];
        LAYER_2.forward(&layer_1.a, &mut y);
        self.second = !self.second;
        let [y] = y;
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

// For C: activity_i8.h has the same.
const _: () = assert!(size_of::<Network>() <= 4 * 49 && align_of::<Network>() <= 4);

/// [`Network::reset`], and before the first step.
///
/// # Safety
/// `network` can be written, and nobody else uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn activity_i8_reset(network: *mut Network) {
    // SAFETY: the caller says that it can be written.
    unsafe { network.write(Network::new()) }
}

/// [`Network::step`].
///
/// # Safety
/// `network` has been reset, there are X numbers at `x` and place for Y at `y`, and nobody else uses
/// any of it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn activity_i8_step(
    network: *mut Network,
    x: *const [i16; X],
    y: *mut [i32; Y],
) {
    // SAFETY: the caller says that all of it is there.
    unsafe { y.write((*network).step(&*x)) }
}
