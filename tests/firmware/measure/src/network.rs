//! A network in integers, made by the compiler from the bytes of a file, and the image that runs it.

/// The bytes of a cell or an output layer with so many rows and bytes of weights: the same in
/// every run.
pub const fn file<const N: usize>(rows: usize) -> [u8; N] {
    let (mut bytes, mut at, mut random) = ([0; N], 4, 1_u32);
    (bytes[0], bytes[1]) = (12, 15);
    while at < N {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let place = (at - 4) % 8;
        bytes[at] = match place {
            _ if at >= 4 + 8 * rows => (random >> 24) as u8,
            // b in ±2³⁰, so that some gates are always open; m from 2¹⁵ on, s = 10, k = 3.
            0 | 1 | 2 | 4 => (random >> 24) as u8,
            3 => ((random >> 24) as i8 >> 1) as u8,
            5 => 0x80 | (random >> 24) as u8,
            6 => 10,
            _ => 3,
        };
        at += 1;
    }
    bytes
}

/// An image that does nothing but classify in integers: LSTM step, output layer, the greatest of it.
/// The network is in flash.
#[macro_export]
macro_rules! integer_inference {
    ($weight:ident) => {
        use bptt::quantized::{Cell, Dense, Lstm, State};

        type Net = Lstm<6, 16, $weight>;
        type Head = Dense<16, 4, $weight>;

        static NET: Net = Net::from_le_bytes(&$crate::file::<{ <Net as Cell<6, 16>>::BYTES }>(64));
        static HEAD: Head = Head::from_le_bytes(&$crate::file::<{ Head::BYTES }>(4));

        #[cortex_m_rt::entry]
        fn main() -> ! {
            static mut STATES: [State<16, 1>; 2] = [State::zeros(), State::zeros()];

            let [state, next] = STATES;
            loop {
                let sample = ::core::hint::black_box([[0; 6]]);
                NET.step(&sample, state, next);
                ::core::mem::swap(state, next);
                let mut y = [[0; 4]];
                HEAD.forward(&state.a, &mut y);
                ::core::hint::black_box(y[0].iter().enumerate().max_by_key(|(_, y)| **y));
            }
        }

        #[panic_handler]
        fn panic(_: &::core::panic::PanicInfo) -> ! {
            loop {}
        }
    };
}
