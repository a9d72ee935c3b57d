//! Prints a digest of runs of the cells in integers, of many shapes, for every width of the weights:
//! the same on every target, and on the host.
#![cfg_attr(target_os = "none", no_std, no_main)]

use bptt::quantized::{Cell, Dense, Lstm, Relu, ResetAfter, ResetBefore, Rnn, Scale, State, Weight};
use bptt::{Flat, dense, init};
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use measure::{exit, file, print};
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;

/// Integers that are the same in every run.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
    fn parameters<F: Flat<Scalar = f32>>(&mut self) -> F {
        let mut flat = F::ZEROS;
        // From gates that are hardly open or closed to such as are always one of the two.
        let limit = [0.25, 1.0, 4.0][self.next() as usize % 3];
        init::uniform(&mut flat, limit, || self.next() as f32 / 16_777_216.0);
        flat
    }
    /// Some at the limits of their type.
    fn input(&mut self) -> i16 {
        match self.next() % 8 {
            0 => i16::MIN,
            1 => i16::MAX,
            _ => (self.next() >> 8) as i16,
        }
    }
}

/// FNV-1a, a word at a time.
struct Digest(u32);

impl Digest {
    fn add(&mut self, word: u32) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0100_0193);
    }
}

#[cfg_attr(target_os = "none", entry)]
fn main() -> ! {
    macro_rules! shapes {
        ($($units:literal)*) => { $(
            units::<$units, i8>(8);
            units::<$units, i16>(16);
        )* };
    }
    shapes!(1 3 4 5 7 8 9 16 33);
    wide::<i8>(8);
    wide::<i16>(16);
    compiled(&NET, 8);
    compiled(&NET_16, 16);
    exit(true)
}

type Net<W> = Lstm<6, 16, W>;
static NET: Net<i8> = Net::from_le_bytes(&file::<{ <Net<i8> as Cell<6, 16>>::BYTES }>(64));
static NET_16: Net<i16> = Net::from_le_bytes(&file::<{ <Net<i16> as Cell<6, 16>>::BYTES }>(64));

/// A network that the compiler has made of bytes, for so long that states reach their limits.
#[inline(never)]
fn compiled<W: Weight>(net: &Net<W>, bits: u32) {
    let (mut digest, random) = (Digest(0x811c_9dc5), &mut Random(1));
    let (mut state, mut most) = (State::<16, 1>::zeros(), 0);
    for _ in 0..200 {
        let (x, mut next) = ([core::array::from_fn(|_| random.input())], State::zeros());
        net.step(&x, &state, &mut next);
        state = next;
        state.a.as_flattened().iter().for_each(|a| digest.add(*a as u16 as u32));
        state.c.as_flattened().iter().for_each(|c| digest.add(*c as u32));
        most = state.c.as_flattened().iter().fold(most, |most: u32, c| most.max(c.unsigned_abs()));
    }
    print(format_args!("from bytes, {bits} bits: {:08x}, c up to {most}", digest.0));
}

/// More columns than a kernel may take.
#[inline(never)]
fn wide<W: Weight>(bits: u32) {
    let (mut digest, random) = (Digest(0x811c_9dc5), &mut Random(1));
    run(&mut Rnn::<600, 5, W>::zeros(), Scale::new(12), random, &mut digest, |_| 0);
    print(format_args!("600 inputs, {bits} bits: {:08x}", digest.0));
}

#[inline(never)]
fn units<const A: usize, W: Weight>(bits: u32) {
    let mut digests = [const { Digest(0x811c_9dc5) }; 6];
    macro_rules! inputs {
        ($($inputs:literal)*) => { $( cells::<$inputs, A, W>(&mut digests); )* };
    }
    inputs!(1 2 3 6 7);
    let [lstm, after, before, rnn, relu, dense] = digests.map(|digest| digest.0);
    print(format_args!(
        "{A} units, {bits} bits: {lstm:08x} {after:08x} {before:08x} {rnn:08x} {relu:08x} {dense:08x}"
    ));
}

#[inline(never)]
fn cells<const X: usize, const A: usize, W: Weight>(
    [lstm, after, before, rnn, relu, dense]: &mut [Digest; 6],
) {
    let random = &mut Random((A * 8 + X) as u32);
    let mut cell = Lstm::<X, A, W>::zeros();
    run(&mut cell, Scale::new(12), random, lstm, |state| {
        state.c.as_flattened().iter().fold(0, |sum: u32, c| sum.wrapping_mul(31) ^ *c as u32)
    });
    let mut cell = ResetAfter::<X, A, W>::zeros();
    run(&mut cell, Scale::new(12), random, after, |_| 0);
    let mut cell = ResetBefore::<X, A, W>::zeros();
    run(&mut cell, Scale::new(12), random, before, |_| 0);
    let mut cell = Rnn::<X, A, W>::zeros();
    run(&mut cell, Scale::new(12), random, rnn, |_| 0);
    let mut cell = Relu::<X, A, W>::zeros();
    run(&mut cell, (Scale::new(12), Scale::new(9)), random, relu, |_| 0);
    let mut layer = Dense::<A, X, W>::zeros();
    let parameters: dense::Params<A, X> = random.parameters();
    let quantized = layer.quantize(&parameters, Scale::UNIT);
    dense.add(u32::from(quantized.is_ok()));
    let a = [core::array::from_fn(|_| random.input())];
    let mut y = [[0; X]];
    layer.forward(&a, &mut y);
    y.as_flattened().iter().for_each(|y| dense.add(*y as u32));
}

#[inline(never)]
fn run<C: Cell<X, A>, const X: usize, const A: usize>(
    cell: &mut C,
    scales: C::Scales,
    random: &mut Random,
    digest: &mut Digest,
    c: impl Fn(&C::State<1>) -> u32,
) {
    let quantized = cell.quantize(&random.parameters(), scales);
    digest.add(u32::from(quantized.is_ok()));
    let mut state = C::State::<1>::default();
    for _ in 0..12 {
        let x = [core::array::from_fn(|_| random.input())];
        let mut next = C::State::default();
        cell.step(&x, &state, &mut next);
        state = next;
        C::a(&state).as_flattened().iter().for_each(|a| digest.add(*a as u16 as u32));
        digest.add(c(&state));
    }
}

/// For what is not a kernel: printing can panic.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    print(format_args!("{info}"));
    exit(false)
}

// SAFETY: it never returns, so it need not leave anything as it was.
#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    print(format_args!("hard fault"));
    exit(false)
}
