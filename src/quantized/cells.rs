//! The cells and the output layer as a user sees them: shells over the core.

use super::layer::{Layer, Row, word};
use super::{QuantizeError, Scale, Weight};
use crate::{Affine, Flat, LengthMismatch, dense, gru, lstm, rnn};

/// A quantised cell with X inputs and A units.
///
/// Written for any cell:
///
/// ```
/// use bptt::quantized::{self, Cell, Scale};
/// use bptt::{gru, lstm};
///
/// /// The hidden states after each input, as f32.
/// fn run<C: Cell<1, 4>>(cell: &C, inputs: &[f32]) -> Vec<[f32; 4]> {
///     let mut state = C::State::<1>::default();
///     inputs.iter().map(|input| {
///         let (mut x, mut next) = ([[0]; 1], C::State::default());
///         let _saturated = cell.x_scale().quantize(&[*input], &mut x[0]);
///         cell.step(&x, &state, &mut next);
///         state = next;
///         let mut a = [0.0; 4];
///         let _ = cell.a_scale().dequantize(&C::a(&state)[0], &mut a);
///         a
///     }).collect()
/// }
///
/// let mut cell = quantized::Lstm::<1, 4>::zeros();
/// cell.quantize(&lstm::Params::zeros(), Scale::UNIT)?;
/// assert!(run(&cell, &[0.5, 0.25])[1][3].abs() < 1e-4);
/// # Ok::<(), quantized::QuantizeError>(())
/// ```
pub trait Cell<const X: usize, const A: usize>: Sized {
    /// The same cell in f32.
    type Float: crate::Cell<X, A, Scalar = f32>;

    /// What one step hands to the next, for M samples: a⟨t⟩, and c⟨t⟩ of an LSTM. Zeros by default.
    type State<const M: usize>: Default + Clone + ::core::fmt::Debug + PartialEq + Eq;

    /// The scales: that of x, and for ReLU that of a beside it.
    type Scales: Copy;

    /// The number of bytes of [`to_le_bytes`](Self::to_le_bytes).
    const BYTES: usize;

    /// One step: `next` becomes the state after `x`, one row of inputs a sample. The same bits on
    /// every target.
    fn step<const M: usize>(
        &self,
        x: &[[i16; X]; M],
        state: &Self::State<M>,
        next: &mut Self::State<M>,
    );

    /// a⟨t⟩ of a state.
    fn a<const M: usize>(state: &Self::State<M>) -> &[[i16; A]; M];

    /// What one of x stands for.
    fn x_scale(&self) -> Scale;

    /// What one of a⟨t⟩ stands for.
    fn a_scale(&self) -> Scale;

    /// Becomes the parameters, rounded to the grid; deterministic, on every target the same.
    ///
    /// `scales` says what the inputs stand for ([`Scale::of`] a sample of them), and for ReLU the
    /// states.
    ///
    /// # Errors
    /// [`QuantizeError`] where a row has no scale; nothing is written then.
    fn quantize(&mut self, params: &Self::Float, scales: Self::Scales)
    -> Result<(), QuantizeError>;

    /// The parameters that the integers stand for: on the grid, each within half a step of what was
    /// quantised.
    fn dequantize(&self, params: &mut Self::Float);

    /// Writes the cell as bytes that do not depend on the target.
    ///
    /// The scale of x and of a and two zeros; b (i32) and scale (u32) of each row, gate by gate; Wx,
    /// gate by gate, row by row; Wa. Lowest byte first.
    ///
    /// # Errors
    /// [`LengthMismatch`] where there are not [`BYTES`](Self::BYTES) bytes; nothing is written then.
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch>;
}

/// The state of a quantised LSTM for M samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<const A: usize, const M: usize> {
    /// a⟨t⟩, a row a sample, in 2⁻¹⁵.
    pub a: [[i16; A]; M],
    /// c⟨t⟩, a row a sample, in 2⁻²⁰.
    pub c: [[i32; A]; M],
}

impl<const A: usize, const M: usize> State<A, M> {
    /// a = c = 0.
    ///
    /// ```
    /// static START: bptt::quantized::State<16, 1> = bptt::quantized::State::zeros();
    /// assert_eq!(START.a, [[0; 16]]);
    /// ```
    pub const fn zeros() -> Self {
        State {
            a: [[0; A]; M],
            c: [[0; A]; M],
        }
    }
}

impl<const A: usize, const M: usize> Default for State<A, M> {
    fn default() -> Self {
        Self::zeros()
    }
}

/// a⟨t⟩ of a cell whose state it is, for M samples; zeros by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden<const A: usize, const M: usize>(pub [[i16; A]; M]);

impl<const A: usize, const M: usize> Default for Hidden<A, M> {
    fn default() -> Self {
        Hidden([[0; A]; M])
    }
}

/// What stands for one weight times one, in powers of two: a sum is in 2^−q_a of the scale of Wa, z
/// in 2⁻¹⁶.
const GATE: i8 = 16 - Scale::UNIT.q();
/// As [`GATE`], where tanh follows, and z is to be 2z.
const CANDIDATE: i8 = GATE + 1;

/// One row of a gate.
fn row<const X: usize, const A: usize>(
    gate: &Affine<X, A>,
    unit: usize,
    gain: i8,
    half: bool,
) -> Row<'_> {
    Row {
        wa: gate.wa.as_flat(),
        wx: gate.wx.as_flat(),
        b: gate.b.as_flat().get(unit).copied().unwrap_or(0.0),
        second: 0.0,
        unit,
        units: A,
        gain,
        half,
    }
}

/// The parameters of a gate, to be written.
fn numbers<const X: usize, const A: usize>(gate: &mut Affine<X, A>) -> [&mut [f32]; 3] {
    [
        gate.wa.as_flat_mut(),
        gate.wx.as_flat_mut(),
        gate.b.as_flat_mut(),
    ]
}

/// Collects the bytes that a layer hands out.
fn collect(
    what: usize,
    bytes: &mut [u8],
    each: impl FnOnce(&mut dyn FnMut(&[u8])),
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("bytes", what, bytes.len())?;
    let mut bytes = bytes.iter_mut();
    each(&mut |part| {
        // The part comes first: where it ends, no byte has been taken for nothing.
        for (from, to) in part.iter().zip(bytes.by_ref()) {
            *to = *from;
        }
    });
    Ok(())
}

/// The inherent functions of a cell: zeros and bytes, for constants.
macro_rules! constants {
    ($name:ident) => {
        impl<const X: usize, const A: usize, W: Weight> $name<X, A, W> {
            /// All weights and biases zero.
            ///
            /// ```
            #[doc = concat!("let mut cell = bptt::quantized::", stringify!($name), "::<2, 3>::zeros();")]
            /// ```
            pub const fn zeros() -> Self {
                Self::ZEROS
            }

            /// The cell whose [`to_le_bytes`](Cell::to_le_bytes) these are, at compile time too.
            ///
            /// Another number of bytes does not compile. Bytes that no cell has written become the
            /// nearest that is one.
            ///
            /// ```
            /// use bptt::quantized::{self, Cell};
            ///
            #[doc = concat!("type Net = quantized::", stringify!($name), "<2, 3>;")]
            /// # /*
            /// static FILE: &[u8; Net::BYTES] = include_bytes!("weights.bin");
            /// # */
            /// # static FILE: &[u8; Net::BYTES] = &[0; Net::BYTES];
            /// static NET: Net = Net::from_le_bytes(FILE);
            /// ```
            pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                const { assert!(N == Self::SIZE, "another number of bytes") }
                Self::read(bytes)
            }
        }
    };
}

/// [`lstm::Params`] in integers.
///
/// ```
/// use bptt::quantized::{self, Cell, Scale};
/// use bptt::{Flat, init, lstm};
///
/// // A network in f32, and inputs like those that it will see.
/// let mut params = lstm::Params::<2, 4>::zeros();
/// let mut random = (1..).map(|n| (n * 37 % 101) as f32 / 101.0);
/// init::uniform(&mut params, 0.5, || random.next().unwrap());
/// let sample = [0.3, -0.9, 2.5, 1.0];
///
/// let mut cell = quantized::Lstm::<2, 4>::zeros();
/// cell.quantize(&params, Scale::of(&sample))?;
///
/// let (state, mut next) = (quantized::State::zeros(), quantized::State::zeros());
/// let mut x = [[0; 2]];
/// cell.x_scale().quantize(&[0.3, -0.9], &mut x[0])?;
/// cell.step(&x, &state, &mut next);
/// assert!(next.a[0][0] != 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Lstm<const X: usize, const A: usize, W: Weight = i8>(Layer<X, A, A, 4, W>);

constants!(Lstm);

impl<const X: usize, const A: usize, W: Weight> Lstm<X, A, W> {
    const ZEROS: Self = Lstm(Layer::ZEROS);
    const SIZE: usize = Layer::<X, A, A, 4, W>::BYTES;
    const GAINS: [i8; 4] = [GATE, GATE, CANDIDATE, GATE];

    const fn read(bytes: &[u8]) -> Self {
        Lstm(Layer::read(bytes, 0))
    }
}

impl<const X: usize, const A: usize, W: Weight> Cell<X, A> for Lstm<X, A, W> {
    type Float = lstm::Params<X, A>;
    type State<const M: usize> = State<A, M>;
    type Scales = Scale;
    const BYTES: usize = Self::SIZE;

    fn step<const M: usize>(&self, x: &[[i16; X]; M], state: &State<A, M>, next: &mut State<A, M>) {
        let layer = self.0.rows();
        let prev = state.a.iter().zip(&state.c);
        for ((x, (a_prev, c_prev)), (a, c)) in
            x.iter().zip(prev).zip(next.a.iter_mut().zip(&mut next.c))
        {
            W::lstm_step(layer, x, (a_prev, c_prev), (a, c));
        }
    }
    fn a<const M: usize>(state: &State<A, M>) -> &[[i16; A]; M] {
        &state.a
    }
    fn x_scale(&self) -> Scale {
        self.0.x
    }
    fn a_scale(&self) -> Scale {
        self.0.a
    }
    fn quantize(&mut self, params: &lstm::Params<X, A>, x: Scale) -> Result<(), QuantizeError> {
        let gates = params.gates();
        self.0.quantize((x, Scale::UNIT), 0, |gate, unit| {
            row(gates[gate % 4], unit, Self::GAINS[gate % 4], false)
        })
    }
    fn dequantize(&self, params: &mut lstm::Params<X, A>) {
        for (n, gate) in params.gates_mut().into_iter().enumerate() {
            self.0
                .dequantize(n, Self::GAINS[n % 4], false, numbers(gate));
        }
    }
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
        collect(Self::BYTES, bytes, |mut each| self.0.write(&mut each))
    }
}

/// [`gru::ResetAfter`] in integers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ResetAfter<const X: usize, const A: usize, W: Weight = i8> {
    layer: Layer<X, A, A, 3, W>,
    bna: [i32; A],
}

constants!(ResetAfter);

impl<const X: usize, const A: usize, W: Weight> ResetAfter<X, A, W> {
    const ZEROS: Self = ResetAfter {
        layer: Layer::ZEROS,
        bna: [0; A],
    };
    const SIZE: usize = Layer::<X, A, A, 3, W>::BYTES + 4 * A;
    const GAINS: [i8; 3] = [GATE, GATE, CANDIDATE];

    const fn read(bytes: &[u8]) -> Self {
        let mut cell = ResetAfter {
            layer: Layer::read(bytes, 0),
            bna: [0; A],
        };
        let mut unit = 0;
        while unit < A {
            cell.bna[unit] = word(bytes, Layer::<X, A, A, 3, W>::BYTES + 4 * unit);
            unit += 1;
        }
        cell
    }
}

impl<const X: usize, const A: usize, W: Weight> Cell<X, A> for ResetAfter<X, A, W> {
    type Float = gru::ResetAfter<X, A>;
    type State<const M: usize> = Hidden<A, M>;
    type Scales = Scale;
    const BYTES: usize = Self::SIZE;

    fn step<const M: usize>(
        &self,
        x: &[[i16; X]; M],
        state: &Hidden<A, M>,
        next: &mut Hidden<A, M>,
    ) {
        let layer = self.layer.rows();
        for ((x, a_prev), a) in x.iter().zip(&state.0).zip(&mut next.0) {
            W::gru_after_step(layer, &self.bna, x, a_prev, a);
        }
    }
    fn a<const M: usize>(state: &Hidden<A, M>) -> &[[i16; A]; M] {
        &state.0
    }
    fn x_scale(&self) -> Scale {
        self.layer.x
    }
    fn a_scale(&self) -> Scale {
        self.layer.a
    }
    fn quantize(&mut self, params: &gru::ResetAfter<X, A>, x: Scale) -> Result<(), QuantizeError> {
        let gates = [&params.r, &params.u, &params.n];
        let second = params.bna.as_flat();
        self.layer.quantize((x, Scale::UNIT), 0, |gate, unit| {
            let mut row = row(gates[gate % 3], unit, Self::GAINS[gate % 3], false);
            if gate == 2 {
                row.second = second.get(unit).copied().unwrap_or(0.0);
            }
            row
        })?;
        for (unit, (bna, b)) in self.bna.iter_mut().zip(second).enumerate() {
            *bna = self.layer.bias(2, unit, CANDIDATE, *b);
        }
        Ok(())
    }
    fn dequantize(&self, params: &mut gru::ResetAfter<X, A>) {
        let gru::ResetAfter { r, u, n, bna } = params;
        for (n, gate) in [r, u, n].into_iter().enumerate() {
            self.layer
                .dequantize(n, Self::GAINS[n % 3], false, numbers(gate));
        }
        for (unit, (b, bna)) in bna.as_flat_mut().iter_mut().zip(&self.bna).enumerate() {
            *b = self.layer.bias_value(2, unit, CANDIDATE, *bna);
        }
    }
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
        collect(Self::BYTES, bytes, |mut each| {
            self.layer.write(&mut each);
            for bna in &self.bna {
                each(&bna.to_le_bytes());
            }
        })
    }
}

/// [`gru::ResetBefore`] in integers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ResetBefore<const X: usize, const A: usize, W: Weight = i8> {
    gates: [Layer<X, A, A, 1, W>; 3],
}

constants!(ResetBefore);

impl<const X: usize, const A: usize, W: Weight> ResetBefore<X, A, W> {
    const ZEROS: Self = ResetBefore {
        gates: [const { Layer::ZEROS }; 3],
    };
    const GATE_SIZE: usize = Layer::<X, A, A, 1, W>::BYTES;
    const SIZE: usize = 3 * Self::GATE_SIZE;
    const GAINS: [i8; 3] = [GATE, GATE, CANDIDATE];

    const fn read(bytes: &[u8]) -> Self {
        ResetBefore {
            gates: [
                Layer::read(bytes, 0),
                Layer::read(bytes, Self::GATE_SIZE),
                Layer::read(bytes, 2 * Self::GATE_SIZE),
            ],
        }
    }
}

impl<const X: usize, const A: usize, W: Weight> Cell<X, A> for ResetBefore<X, A, W> {
    type Float = gru::ResetBefore<X, A>;
    type State<const M: usize> = Hidden<A, M>;
    type Scales = Scale;
    const BYTES: usize = Self::SIZE;

    fn step<const M: usize>(
        &self,
        x: &[[i16; X]; M],
        state: &Hidden<A, M>,
        next: &mut Hidden<A, M>,
    ) {
        let layers = self.gates.each_ref().map(Layer::rows);
        for ((x, a_prev), a) in x.iter().zip(&state.0).zip(&mut next.0) {
            let mut reset = [0; A];
            W::gru_before_step(layers, x, a_prev, &mut reset, a);
        }
    }
    fn a<const M: usize>(state: &Hidden<A, M>) -> &[[i16; A]; M] {
        &state.0
    }
    fn x_scale(&self) -> Scale {
        self.gates[0].x
    }
    fn a_scale(&self) -> Scale {
        self.gates[0].a
    }
    fn quantize(&mut self, params: &gru::ResetBefore<X, A>, x: Scale) -> Result<(), QuantizeError> {
        let gates = [&params.r, &params.u, &params.n];
        for (n, gate) in gates.into_iter().enumerate() {
            for unit in 0..A {
                let row = row(gate, unit, Self::GAINS[n], false);
                row.quantize::<W>((x, Scale::UNIT), n * A + unit)?;
            }
        }
        for (n, (layer, gate)) in self.gates.iter_mut().zip(gates).enumerate() {
            layer.quantize((x, Scale::UNIT), n * A, |_, unit| {
                row(gate, unit, Self::GAINS[n], false)
            })?;
        }
        Ok(())
    }
    fn dequantize(&self, params: &mut gru::ResetBefore<X, A>) {
        let gates = [&mut params.r, &mut params.u, &mut params.n];
        for ((layer, gate), gain) in self.gates.iter().zip(gates).zip(Self::GAINS) {
            layer.dequantize(0, gain, false, numbers(gate));
        }
    }
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
        collect(Self::BYTES, bytes, |mut each| {
            self.gates.iter().for_each(|gate| gate.write(&mut each));
        })
    }
}

/// A cell of one gate.
macro_rules! rnn {
    ($name:ident, $float:ty, $door:ident, $gain:expr, $half:literal, |$scales:ident| $pair:expr, $type:ty, |$params:ident| $gate:expr, $gate_mut:expr) => {
        constants!($name);

        impl<const X: usize, const A: usize, W: Weight> $name<X, A, W> {
            const ZEROS: Self = $name(Layer::ZEROS);
            const SIZE: usize = Layer::<X, A, A, 1, W>::BYTES;

            const fn read(bytes: &[u8]) -> Self {
                $name(Layer::read(bytes, 0))
            }
        }

        impl<const X: usize, const A: usize, W: Weight> Cell<X, A> for $name<X, A, W> {
            type Float = $float;
            type State<const M: usize> = Hidden<A, M>;
            type Scales = $type;
            const BYTES: usize = Self::SIZE;

            fn step<const M: usize>(
                &self,
                x: &[[i16; X]; M],
                state: &Hidden<A, M>,
                next: &mut Hidden<A, M>,
            ) {
                let layer = self.0.rows();
                for ((x, a_prev), a) in x.iter().zip(&state.0).zip(&mut next.0) {
                    W::$door(layer, x, a_prev, a);
                }
            }
            fn a<const M: usize>(state: &Hidden<A, M>) -> &[[i16; A]; M] {
                &state.0
            }
            fn x_scale(&self) -> Scale {
                self.0.x
            }
            fn a_scale(&self) -> Scale {
                self.0.a
            }
            fn quantize(
                &mut self,
                $params: &Self::Float,
                $scales: $type,
            ) -> Result<(), QuantizeError> {
                self.0
                    .quantize($pair, 0, |_, unit| row($gate, unit, $gain, $half))
            }
            fn dequantize(&self, $params: &mut Self::Float) {
                self.0.dequantize(0, $gain, $half, numbers($gate_mut));
            }
            fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
                collect(Self::BYTES, bytes, |mut each| self.0.write(&mut each))
            }
        }
    };
}

/// [`rnn::Params`] in integers: with tanh.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Rnn<const X: usize, const A: usize, W: Weight = i8>(Layer<X, A, A, 1, W>);

rnn!(Rnn, rnn::Params<X, A>, rnn_step, CANDIDATE, false, |x| (x, Scale::UNIT), Scale, |params| params, params);

/// [`rnn::Relu`] in integers. Its states are not bounded: their scale is the second of the two, from
/// a run in f32.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Relu<const X: usize, const A: usize, W: Weight = i8>(Layer<X, A, A, 1, W>);

rnn!(Relu, rnn::Relu<X, A>, relu_step, 0, true, |scales| scales, (Scale, Scale), |params| &params.0, &mut params.0);

/// [`dense::Params`] in integers: the output layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Dense<const A: usize, const Y: usize, W: Weight = i8>(Layer<0, A, Y, 1, W>);

impl<const A: usize, const Y: usize, W: Weight> Dense<A, Y, W> {
    /// The number of bytes of [`to_le_bytes`](Self::to_le_bytes).
    pub const BYTES: usize = Layer::<0, A, Y, 1, W>::BYTES;

    /// All weights and biases zero.
    pub const fn zeros() -> Self {
        Dense(Layer::ZEROS)
    }

    /// The layer whose [`to_le_bytes`](Self::to_le_bytes) these are; see [`Lstm::from_le_bytes`].
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        const { assert!(N == Self::BYTES, "another number of bytes") }
        Dense(Layer::read(bytes, 0))
    }

    /// (18): y = W·a + b in 2⁻¹⁶, a row a sample. The greatest y is the most probable class.
    pub fn forward<const M: usize>(&self, a: &[[i16; A]; M], y: &mut [[i32; Y]; M]) {
        let layer = self.0.rows();
        for (a, y) in a.iter().zip(y) {
            W::dense(layer, a, y);
        }
    }

    /// As [`Cell::quantize`]; `a` is the scale of its inputs.
    ///
    /// # Errors
    /// [`QuantizeError`] where a row has no scale; nothing is written then.
    pub fn quantize(
        &mut self,
        params: &dense::Params<A, Y>,
        a: Scale,
    ) -> Result<(), QuantizeError> {
        let (w, b) = (params.w.as_flat(), params.b.as_flat());
        self.0.quantize((Scale::UNIT, a), 0, |_, unit| Row {
            wa: w,
            wx: &[],
            b: b.get(unit).copied().unwrap_or(0.0),
            second: 0.0,
            unit,
            units: Y,
            gain: 16 - a.q(),
            half: false,
        })
    }

    /// As [`Cell::dequantize`].
    pub fn dequantize(&self, params: &mut dense::Params<A, Y>) {
        let (w, b) = (params.w.as_flat_mut(), params.b.as_flat_mut());
        self.0
            .dequantize(0, 16 - self.0.a.q(), false, [w, &mut [], b]);
    }

    /// As [`Cell::to_le_bytes`].
    ///
    /// # Errors
    /// [`LengthMismatch`] where there are not [`BYTES`](Self::BYTES) bytes; nothing is written then.
    pub fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
        collect(Self::BYTES, bytes, |mut each| self.0.write(&mut each))
    }
}
