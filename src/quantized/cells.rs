//! The cells and the output layer as a user sees them: shells over the core.

use super::layer::{Layer, Row, word};
use super::{QuantizeError, Scale, Weight};
use crate::{Affine, Flat, LengthMismatch, dense, gru, lstm, rnn};

/// A quantised cell with X inputs and A units: what a program needs of it, whichever it is.
///
/// | | of |
/// |---|---|
/// | [`Lstm`] | [`lstm::Params`] |
/// | [`ResetAfter`], [`ResetBefore`] | [`gru::ResetAfter`], [`gru::ResetBefore`] |
/// | [`Rnn`], [`Relu`] | [`rnn::Params`], [`rnn::Relu`] |
///
/// The weights are i8, or i16 where the last parameter of the type says so. Written for any cell:
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
pub trait Cell<const X: usize, const A: usize>: Default {
    /// The same cell in f32: what is quantised, and what is dequantised into.
    ///
    /// ```
    /// use bptt::{lstm, quantized};
    ///
    /// type Float = <quantized::Lstm<2, 3> as quantized::Cell<2, 3>>::Float;
    /// let _: Float = lstm::Params::zeros();
    /// ```
    type Float: crate::Cell<X, A, Scalar = f32>;

    /// What one step hands to the next, for M samples: [`State`] of an LSTM, [`Hidden`] of the others.
    /// Zeros by default.
    ///
    /// ```
    /// use bptt::quantized::{self, Cell, Hidden};
    ///
    /// type State = <quantized::Rnn<2, 3> as Cell<2, 3>>::State<4>;
    /// assert_eq!(State::default(), Hidden([[0; 3]; 4]));
    /// ```
    type State<const M: usize>: Default + Clone + ::core::fmt::Debug + PartialEq + Eq;

    /// The scales that are to be given: that of x, and for ReLU that of a beside it.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm, Relu, Scale};
    ///
    /// let _: <Lstm<2, 3> as Cell<2, 3>>::Scales = Scale::UNIT;
    /// let _: <Relu<2, 3> as Cell<2, 3>>::Scales = (Scale::UNIT, Scale::new(12));
    /// ```
    type Scales: Copy;

    /// The number of bytes of [`to_le_bytes`](Self::to_le_bytes): 4, 8 a row, and the weights; of a
    /// GRU with the reset after the product 4·A more, with the reset before it 8 more.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm};
    ///
    /// let rows = 4 * 16;
    /// assert_eq!(Lstm::<6, 16, i8>::BYTES, 4 + rows * (8 + 6 + 16));
    /// assert_eq!(Lstm::<6, 16, i16>::BYTES, 4 + rows * (8 + 2 * (6 + 16)));
    /// ```
    const BYTES: usize;

    /// One step of inference: `next` becomes the state after `x`. The same bits on every target.
    ///
    /// `x` has a row of X inputs a sample, in 2^−q of [`x_scale`](Self::x_scale), and the states have
    /// as many samples. The caller alternates two states:
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm, State};
    ///
    /// static CELL: Lstm<1, 4> = Lstm::zeros();
    /// let (mut state, mut next) = (State::<4, 1>::zeros(), State::zeros());
    /// for sample in [100, 200, 300] {
    ///     CELL.step(&[[sample]], &state, &mut next);
    ///     core::mem::swap(&mut state, &mut next);
    /// }
    /// assert_eq!(state, State::zeros()); // all weights are zero
    /// ```
    fn step<const M: usize>(
        &self,
        x: &[[i16; X]; M],
        state: &Self::State<M>,
        next: &mut Self::State<M>,
    );

    /// a⟨t⟩ of a state, a row a sample, in 2^−q of [`a_scale`](Self::a_scale): the inputs of the
    /// layer above, or of the output layer.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm, State};
    ///
    /// let state = State { a: [[1, 2, 3]], c: [[0; 3]] };
    /// assert_eq!(Lstm::<2, 3>::a(&state), &[[1, 2, 3]]);
    /// ```
    fn a<const M: usize>(state: &Self::State<M>) -> &[[i16; A]; M];

    /// What one of x stands for: 2^−q.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm, Scale};
    /// use bptt::lstm;
    ///
    /// let mut cell = Lstm::<2, 3>::zeros();
    /// cell.quantize(&lstm::Params::zeros(), Scale::of(&[29.0]))?;
    /// assert_eq!(cell.x_scale().q(), 10);
    /// # Ok::<(), bptt::quantized::QuantizeError>(())
    /// ```
    fn x_scale(&self) -> Scale;

    /// What one of a⟨t⟩ stands for: 2⁻¹⁵, and with ReLU what [`quantize`](Self::quantize) was told.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm, Scale};
    ///
    /// assert_eq!(Lstm::<2, 3>::zeros().a_scale(), Scale::UNIT);
    /// ```
    fn a_scale(&self) -> Scale;

    /// Becomes the parameters, rounded to the nearest weights of the grid that the scale of each row
    /// is. Deterministic: the same integers on every target.
    ///
    /// `scales` says what the inputs stand for ([`Scale::of`] a sample of them), and for ReLU the
    /// states.
    ///
    /// # Errors
    /// [`QuantizeError`] where a row has no scale; nothing is written then.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm, QuantizeError, Scale};
    /// use bptt::lstm;
    ///
    /// let mut cell = Lstm::<2, 3>::zeros();
    /// let mut params = lstm::Params::zeros();
    /// params.g.wx.fill(0.5);
    /// assert_eq!(cell.quantize(&params, Scale::UNIT), Ok(()));
    /// params.i.b.fill(f32::NAN); // the second gate: its rows are the fourth to the sixth
    /// assert_eq!(cell.quantize(&params, Scale::UNIT), Err(QuantizeError::NotFinite { row: 3 }));
    /// ```
    fn quantize(&mut self, params: &Self::Float, scales: Self::Scales)
    -> Result<(), QuantizeError>;

    /// The parameters that the integers stand for: on the grid, each within half a step of what was
    /// quantised (and the rounding of f32). A step is at least a 127th (32767th) of the greatest
    /// weight of the row.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm, Scale};
    /// use bptt::{Flat, init, lstm};
    ///
    /// let mut params = lstm::Params::<2, 3>::zeros();
    /// let mut random = (1..).map(|n| (n * 37 % 101) as f32 / 101.0);
    /// init::uniform(&mut params, 0.5, || random.next().unwrap());
    /// let mut cell = Lstm::<2, 3>::zeros();
    /// cell.quantize(&params, Scale::UNIT)?;
    /// let mut grid = lstm::Params::zeros();
    /// cell.dequantize(&mut grid);
    /// // Half a step of Wa is 0.25 / 127 at most, one of Wx the same or twice that.
    /// let mut pairs = grid.as_flat().iter().zip(params.as_flat());
    /// assert!(pairs.all(|(grid, params)| (grid - params).abs() < 0.51 / 127.0));
    /// # Ok::<(), bptt::quantized::QuantizeError>(())
    /// ```
    fn dequantize(&self, params: &mut Self::Float);

    /// Writes the cell as bytes that do not depend on the target.
    ///
    /// The scale of x and of a and two zeros; b (i32) and scale (u32) of each row, gate by gate; Wx,
    /// gate by gate, row by row; Wa. Lowest byte first.
    ///
    /// # Errors
    /// [`LengthMismatch`] where there are not [`BYTES`](Self::BYTES) bytes; nothing is written then.
    ///
    /// ```
    /// use bptt::quantized::{Cell, Lstm};
    ///
    /// type Net = Lstm<2, 3>;
    /// let mut file = [0; Net::BYTES];
    /// Net::zeros().to_le_bytes(&mut file)?;
    /// assert_eq!(Net::from_le_bytes(&file), Net::zeros());
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch>;
}

/// The state of a quantised LSTM for M samples; zeros by default.
///
/// ```
/// let state = bptt::quantized::State::<16, 1>::default();
/// assert_eq!((state.a, state.c), ([[0; 16]], [[0; 16]]));
/// ```
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

/// a⟨t⟩ of a GRU or an RNN, whose state it is, for M samples, a row a sample; zeros by default.
///
/// ```
/// use bptt::quantized::Hidden;
///
/// assert_eq!(Hidden::<3, 2>::default(), Hidden([[0; 3]; 2]));
/// ```
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
            /// nearest that one could have. A large network is a `static` made like this: it never
            /// stands on the stack.
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

        impl<const X: usize, const A: usize, W: Weight> Default for $name<X, A, W> {
            /// Zeros.
            fn default() -> Self {
                Self::zeros()
            }
        }
    };
}

/// [`lstm::Params`] in integers: equations (5) to (10) of [`quantized`](super).
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

/// [`gru::ResetAfter`] in integers: equations (11) to (13), (15) of [`quantized`](super).
///
/// ```
/// use bptt::quantized::{self, Cell, Scale};
/// use bptt::{gru, init};
///
/// let mut params = gru::ResetAfter::<2, 4>::zeros();
/// let mut random = (1..).map(|n| (n * 37 % 101) as f32 / 101.0);
/// init::uniform(&mut params, 0.5, || random.next().unwrap());
/// let mut cell = quantized::ResetAfter::<2, 4>::zeros();
/// cell.quantize(&params, Scale::UNIT)?;
/// let mut next = quantized::Hidden::default();
/// cell.step(&[[16384, -8192]], &quantized::Hidden::default(), &mut next);
/// assert!(next.0[0].iter().any(|a| *a != 0));
/// # Ok::<(), quantized::QuantizeError>(())
/// ```
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

/// [`gru::ResetBefore`] in integers: equations (11), (12), (14), (15) of [`quantized`](super).
///
/// ```
/// use bptt::quantized::{self, Cell, Scale};
/// use bptt::{gru, init};
///
/// let mut params = gru::ResetBefore::<2, 4>::zeros();
/// let mut random = (1..).map(|n| (n * 37 % 101) as f32 / 101.0);
/// init::uniform(&mut params, 0.5, || random.next().unwrap());
/// let mut cell = quantized::ResetBefore::<2, 4>::zeros();
/// cell.quantize(&params, Scale::UNIT)?;
/// let mut next = quantized::Hidden::default();
/// cell.step(&[[16384, -8192]], &quantized::Hidden::default(), &mut next);
/// assert!(next.0[0].iter().any(|a| *a != 0));
/// # Ok::<(), quantized::QuantizeError>(())
/// ```
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
        for (n, (gate, gain)) in gates.into_iter().zip(Self::GAINS).enumerate() {
            for unit in 0..A {
                let row = row(gate, unit, gain, false);
                row.quantize::<W>((x, Scale::UNIT), n * A + unit)?;
            }
        }
        let layers = self.gates.iter_mut().zip(gates).zip(Self::GAINS);
        for (n, ((layer, gate), gain)) in layers.enumerate() {
            layer.quantize((x, Scale::UNIT), n * A, |_, unit| {
                row(gate, unit, gain, false)
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

/// [`rnn::Params`] in integers, with tanh: equation (16) of [`quantized`](super).
///
/// ```
/// use bptt::quantized::{self, Cell, Scale};
/// use bptt::{rnn, init};
///
/// let mut params = rnn::Params::<2, 4>::zeros();
/// let mut random = (1..).map(|n| (n * 37 % 101) as f32 / 101.0);
/// init::uniform(&mut params, 0.5, || random.next().unwrap());
/// let mut cell = quantized::Rnn::<2, 4>::zeros();
/// cell.quantize(&params, Scale::UNIT)?;
/// let mut next = quantized::Hidden::default();
/// cell.step(&[[16384, -8192]], &quantized::Hidden::default(), &mut next);
/// assert!(next.0[0].iter().any(|a| *a != 0));
/// # Ok::<(), quantized::QuantizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Rnn<const X: usize, const A: usize, W: Weight = i8>(Layer<X, A, A, 1, W>);

constants!(Rnn);
rnn!(Rnn, rnn::Params<X, A>, rnn_step, CANDIDATE, false, |x| (x, Scale::UNIT), Scale, |params| params, params);

/// [`rnn::Relu`] in integers: equation (17) of [`quantized`](super).
///
/// Its states are not bounded: their scale is the second of the two, from a run in f32. A state
/// beyond it stays at 32767.
///
/// ```
/// use bptt::quantized::{self, Cell, Scale};
/// use bptt::{rnn, init};
///
/// let mut params = rnn::Relu::<2, 4>::zeros();
/// let mut random = (1..).map(|n| (n * 37 % 101) as f32 / 101.0);
/// init::uniform(&mut params, 0.5, || random.next().unwrap());
/// let mut cell = quantized::Relu::<2, 4>::zeros();
/// cell.quantize(&params, (Scale::UNIT, Scale::new(12)))?;
/// let mut next = quantized::Hidden::default();
/// cell.step(&[[16384, -8192]], &quantized::Hidden::default(), &mut next);
/// assert!(next.0[0].iter().any(|a| *a != 0));
/// # Ok::<(), quantized::QuantizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Relu<const X: usize, const A: usize, W: Weight = i8>(Layer<X, A, A, 1, W>);

constants!(Relu);
rnn!(Relu, rnn::Relu<X, A>, relu_step, 0, true, |scales| scales, (Scale, Scale), |params| &params.0, &mut params.0);

/// [`dense::Params`] in integers, the output layer: equation (18) of [`quantized`](super).
///
/// ```
/// use bptt::quantized::{self, Scale};
/// use bptt::{Matrix, dense};
///
/// let params = dense::Params {
///     w: Matrix::from_rows([[0.5, -1.0], [0.25, 1.0]]),
///     b: Matrix::from_rows([[0.0], [2.0]]),
/// };
/// let mut head = quantized::Dense::<2, 2>::zeros();
/// head.quantize(&params, Scale::UNIT)?; // a in 2⁻¹⁵, as a cell returns it
/// let mut y = [[0; 2]];
/// head.forward(&[[16384, 8192]], &mut y); // 0.5 and 0.25
/// let y = y[0].map(|y| y as f32 / 65536.0);
/// assert!(y[0].abs() < 0.01 && (y[1] - 2.375).abs() < 0.01);
/// # Ok::<(), quantized::QuantizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Dense<const A: usize, const Y: usize, W: Weight = i8>(Layer<0, A, Y, 1, W>);

impl<const A: usize, const Y: usize, W: Weight> Default for Dense<A, Y, W> {
    /// Zeros.
    fn default() -> Self {
        Self::zeros()
    }
}

impl<const A: usize, const Y: usize, W: Weight> Dense<A, Y, W> {
    /// The number of bytes of [`to_le_bytes`](Self::to_le_bytes): 4, 8 a row, and the weights.
    ///
    /// ```
    /// assert_eq!(bptt::quantized::Dense::<16, 4>::BYTES, 4 + 4 * (8 + 16));
    /// ```
    pub const BYTES: usize = Layer::<0, A, Y, 1, W>::BYTES;

    /// All weights and biases zero.
    ///
    /// ```
    /// let mut head = bptt::quantized::Dense::<16, 4>::zeros();
    /// ```
    pub const fn zeros() -> Self {
        Dense(Layer::ZEROS)
    }

    /// The layer whose [`to_le_bytes`](Self::to_le_bytes) these are, at compile time too; see
    /// [`Lstm::from_le_bytes`].
    ///
    /// ```
    /// use bptt::quantized::Dense;
    ///
    /// static FILE: [u8; Dense::<16, 4>::BYTES] = [0; Dense::<16, 4>::BYTES]; // include_bytes!
    /// static HEAD: Dense<16, 4> = Dense::from_le_bytes(&FILE);
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        const { assert!(N == Self::BYTES, "another number of bytes") }
        Dense(Layer::read(bytes, 0))
    }

    /// (18): y = W·a + b in 2⁻¹⁶, a row a sample. The greatest y is the most probable class;
    /// [`softmax`](crate::dense::softmax) of y·2⁻¹⁶ in f32 gives the probabilities.
    ///
    /// ```
    /// let head = bptt::quantized::Dense::<16, 4>::zeros();
    /// let mut y = [[7; 4]];
    /// head.forward(&[[100; 16]], &mut y);
    /// assert_eq!(y, [[0; 4]]);
    /// ```
    pub fn forward<const M: usize>(&self, a: &[[i16; A]; M], y: &mut [[i32; Y]; M]) {
        let layer = self.0.rows();
        for (a, y) in a.iter().zip(y) {
            W::dense(layer, a, y);
        }
    }

    /// As [`Cell::quantize`]; `a` is the scale of its inputs: [`Cell::a_scale`] of the cell below.
    ///
    /// # Errors
    /// [`QuantizeError`] where a row has no scale; nothing is written then.
    ///
    /// ```
    /// use bptt::{dense, quantized};
    ///
    /// let mut head = quantized::Dense::<16, 4>::zeros();
    /// head.quantize(&dense::Params::zeros(), quantized::Scale::UNIT)?;
    /// # Ok::<(), quantized::QuantizeError>(())
    /// ```
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

    /// The parameters that the integers stand for, as [`Cell::dequantize`].
    ///
    /// ```
    /// let mut params = bptt::dense::Params::zeros();
    /// bptt::quantized::Dense::<16, 4>::zeros().dequantize(&mut params);
    /// assert_eq!(params, bptt::dense::Params::zeros());
    /// ```
    pub fn dequantize(&self, params: &mut dense::Params<A, Y>) {
        let (w, b) = (params.w.as_flat_mut(), params.b.as_flat_mut());
        self.0
            .dequantize(0, 16 - self.0.a.q(), false, [w, &mut [], b]);
    }

    /// Writes the layer as bytes that do not depend on the target, as [`Cell::to_le_bytes`].
    ///
    /// # Errors
    /// [`LengthMismatch`] where there are not [`BYTES`](Self::BYTES) bytes; nothing is written then.
    ///
    /// ```
    /// use bptt::quantized::Dense;
    ///
    /// let mut file = [0; Dense::<16, 4>::BYTES];
    /// assert!(Dense::<16, 4>::zeros().to_le_bytes(&mut file[1..]).is_err());
    /// Dense::<16, 4>::zeros().to_le_bytes(&mut file)?;
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
        collect(Self::BYTES, bytes, |mut each| self.0.write(&mut each))
    }
}
