//! Four networks for one audio sample at a time as a WebAssembly module: an LSTM and a GRU of 16 and of 40 units, an output
//! layer behind each. `worklet.js` shows how a page runs them.
//!
//! The module has its memory from the start and never grows it: the page writes a block to `input()`, calls `process`, and
//! reads the block at `output()`. The state stays here.
#![cfg_attr(target_family = "wasm", no_std)]

use core::cell::UnsafeCell;
use core::mem;

use bptt::{Cell, Flat, Matrix, dense, gru, init, lstm};

/// Samples of a block: a render quantum of the Web Audio API.
const BLOCK: usize = 128;

type Block = [f32; BLOCK];

struct Network<C: Cell<1, A, Scalar = f32>, const A: usize> {
    cell: C,
    head: dense::Params<A, 1>,
    state: C::State<1>,
    next: C::State<1>,
}

impl<C: Cell<1, A, Scalar = f32>, const A: usize> Network<C, A> {
    const ZEROS: Self = Network {
        cell: C::ZEROS,
        head: dense::Params::ZEROS,
        state: C::State::ZEROS,
        next: C::State::ZEROS,
    };

    /// Weights that look like those of a trained network, the same in every run; the state is zero.
    fn start(&mut self) {
        let mut seed = 1_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 24) as f32
        };
        init::uniform_hidden(&mut self.cell, &mut random);
        init::uniform(&mut self.head, 0.2, &mut random);
        self.state.set_zeros();
    }

    fn process(&mut self, x: &Block, y: &mut Block, hidden: fn(&C::State<1>) -> &Matrix<A, 1>) {
        let mut out = Matrix::<1, 1>::zeros();
        for (x, y) in x.iter().zip(y) {
            let x = Matrix::from_rows([[*x]]);
            self.cell.step(&x, &self.state, &mut self.next);
            mem::swap(&mut self.state, &mut self.next);
            dense::forward(&self.head, hidden(&self.state), &mut out);
            *y = out[(0, 0)];
        }
    }
}

/// All that the module has.
struct All {
    input: Block,
    output: Block,
    lstm_16: Network<lstm::Params<1, 16>, 16>,
    lstm_40: Network<lstm::Params<1, 40>, 40>,
    gru_16: Network<gru::ResetAfter<1, 16>, 16>,
    gru_40: Network<gru::ResetAfter<1, 40>, 40>,
}

struct Memory(UnsafeCell<All>);

// SAFETY: the module is built without threads, so that there is one.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new(All {
    input: [0.0; BLOCK],
    output: [0.0; BLOCK],
    lstm_16: Network::ZEROS,
    lstm_40: Network::ZEROS,
    gru_16: Network::ZEROS,
    gru_40: Network::ZEROS,
}));

fn all() -> &'static mut All {
    // SAFETY: one thread, and each of the functions below calls this once and keeps nothing.
    unsafe { &mut *MEMORY.0.get() }
}

/// Where the page writes a block of 128 samples.
#[unsafe(no_mangle)]
pub extern "C" fn input() -> *mut f32 {
    all().input.as_mut_ptr()
}

/// Where the page reads a block of 128 samples.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const f32 {
    all().output.as_ptr()
}

/// Gives all networks their weights and takes their states back to zero.
#[unsafe(no_mangle)]
pub extern "C" fn start() {
    let all = all();
    all.lstm_16.start();
    all.lstm_40.start();
    all.gru_16.start();
    all.gru_40.start();
}

/// Whether this thread computes as the crate promises: a host may flush subnormal numbers.
#[unsafe(no_mangle)]
pub extern "C" fn environment() -> bool {
    bptt::check_float_environment().is_ok()
}

/// A block through a network, in the order of `NETWORKS` in `networks.mjs`.
#[unsafe(no_mangle)]
pub extern "C" fn process(network: u32) {
    let All {
        input,
        output,
        lstm_16,
        lstm_40,
        gru_16,
        gru_40,
    } = all();
    match network {
        0 => lstm_16.process(input, output, |state| &state.a),
        1 => lstm_40.process(input, output, |state| &state.a),
        2 => gru_16.process(input, output, |state| state),
        3 => gru_40.process(input, output, |state| state),
        _ => {}
    }
}

#[cfg(target_family = "wasm")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
