// The public interface. Written by tests/api.rs, which says how.

// ---- bptt::activation

pub const EXP_F32_MAX_ULP: f64 = _;
pub const SIGMOID_F32_MAX_ULP: f64 = _;
pub const TANH_F32_MAX_ULP: f64 = _;
pub const F32_MONOTONICITY_VIOLATIONS: u64 = _;
pub const SIGMOID_DERIVATIVE_F32_MAX_ERROR: f64 = _;
pub const TANH_DERIVATIVE_F32_MAX_ERROR: f64 = _;
pub const EXP_F64_MAX_ULP: f64 = _;
pub const SIGMOID_F64_MAX_ULP: f64 = _;
pub const TANH_F64_MAX_ULP: f64 = _;
pub const SIGMOID_DERIVATIVE_F64_MAX_ERROR: f64 = _;
pub const TANH_DERIVATIVE_F64_MAX_ERROR: f64 = _;
pub fn exp<T: Real>(x: T) -> T {}
pub fn sigmoid<T: Real>(x: T) -> T {}
pub fn tanh<T: Real>(x: T) -> T {}
pub fn exp_slice<T: Real>(x: &mut [T]) {}
pub fn sigmoid_slice<T: Real>(x: &mut [T]) {}
pub fn tanh_slice<T: Real>(x: &mut [T]) {}

// ---- bptt::checkpoint

pub fn lstm_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    states: &mut [State<A, M, T>],
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn lstm_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    states: &[State<A, M, T>],
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    gradient: impl FnMut(usize, &[Matrix<A, M, T>], &mut [Matrix<A, M, T>]),
    grads: &mut lstm::Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    dstate: &mut State<A, M, T>,
) -> Result<(), LengthMismatch> {}
pub fn rnn_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    states: &mut [Matrix<A, M, T>],
    a: &mut [Matrix<A, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn rnn_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    states: &[Matrix<A, M, T>],
    a: &mut [Matrix<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    gradient: impl FnMut(usize, &[Matrix<A, M, T>], &mut [Matrix<A, M, T>]),
    grads: &mut rnn::Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    da_state: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {}

// ---- bptt::dense

#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Params<const A: usize, const Y: usize, T: Real = f32> {
    pub w: Matrix<Y, A, T>,
    pub b: Vector<Y, T>,
}
pub fn forward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &Matrix<A, M, T>,
    y: &mut Matrix<Y, M, T>,
) {}
pub fn backward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &Matrix<A, M, T>,
    dy: &Matrix<Y, M, T>,
    grads: &mut Params<A, Y, T>,
    da: &mut Matrix<A, M, T>,
) {}
pub fn sequence_forward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &[Matrix<A, M, T>],
    y: &mut [Matrix<Y, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn sequence_backward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &[Matrix<A, M, T>],
    dy: &[Matrix<Y, M, T>],
    grads: &mut Params<A, Y, T>,
    da: &mut [Matrix<A, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn softmax<const Y: usize, const M: usize, T: Real>(z: &mut Matrix<Y, M, T>) {}
pub fn softmax_backward<const Y: usize, const M: usize, T: Real>(
    y: &Matrix<Y, M, T>,
    dy: &mut Matrix<Y, M, T>,
) {}
impl<const A: usize, const Y: usize, T: Real> Params<A, Y, T> {
    pub const fn zeros() -> Self {}
}

// ---- bptt::init

pub fn uniform<F: Flat>(
    weights: &mut F,
    limit: F::Scalar,
    uniform: impl FnMut() -> F::Scalar,
) {}
pub fn uniform_hidden<const X: usize, const A: usize, T: Real>(
    params: &mut Affine<X, A, T>,
    uniform: impl FnMut() -> T,
) {}
pub fn glorot_uniform<const R: usize, const C: usize, T: Real>(
    w: &mut Matrix<R, C, T>,
    uniform: impl FnMut() -> T,
) {}
pub fn orthogonal<const A: usize, T: Real>(
    w: &mut Matrix<A, A, T>,
    uniform: impl FnMut() -> T,
) {}
pub fn forget_bias<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    bias: T,
) {}

// ---- bptt::layout


// ---- bptt::layout::pytorch

pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    weight_ih: &[T],
    weight_hh: &[T],
    bias: Option<(&[T], &[T])>,
) -> Result<(), LengthMismatch> {}
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    weight_ih: &mut [T],
    weight_hh: &mut [T],
    bias_ih: &mut [T],
    bias_hh: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_rnn<const X: usize, const A: usize, T: Real>(
    params: &mut rnn::Params<X, A, T>,
    weight_ih: &[T],
    weight_hh: &[T],
    bias: Option<(&[T], &[T])>,
) -> Result<(), LengthMismatch> {}
pub fn write_rnn<const X: usize, const A: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    weight_ih: &mut [T],
    weight_hh: &mut [T],
    bias_ih: &mut [T],
    bias_hh: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_linear<const A: usize, const Y: usize, T: Real>(
    params: &mut dense::Params<A, Y, T>,
    weight: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_linear<const A: usize, const Y: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    weight: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {}

// ---- bptt::layout::keras

pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    kernel: &mut [T],
    recurrent_kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_rnn<const X: usize, const A: usize, T: Real>(
    params: &mut rnn::Params<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_rnn<const X: usize, const A: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    kernel: &mut [T],
    recurrent_kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_dense<const A: usize, const Y: usize, T: Real>(
    params: &mut dense::Params<A, Y, T>,
    kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_dense<const A: usize, const Y: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {}

// ---- bptt::layout::onnx

pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    w: &mut [T],
    r: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_rnn<const X: usize, const A: usize, T: Real>(
    params: &mut rnn::Params<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_rnn<const X: usize, const A: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    w: &mut [T],
    r: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_gemm<const A: usize, const Y: usize, T: Real>(
    params: &mut dense::Params<A, Y, T>,
    b: &[T],
    trans_b: bool,
    c: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_gemm<const A: usize, const Y: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    b: &mut [T],
    trans_b: bool,
    c: &mut [T],
) -> Result<(), LengthMismatch> {}

// ---- bptt::layout::textbook

pub fn read_affine<const X: usize, const A: usize, T: Real>(
    params: &mut Affine<X, A, T>,
    w: &[T],
    b: &[T],
) -> Result<(), LengthMismatch> {}
pub fn write_affine<const X: usize, const A: usize, T: Real>(
    params: &Affine<X, A, T>,
    w: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    w: [&[T]; 4],
    b: [&[T]; 4],
) -> Result<(), LengthMismatch> {}
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    w: [&mut [T]; 4],
    b: [&mut [T]; 4],
) -> Result<(), LengthMismatch> {}

// ---- bptt::lengths

pub fn zero_beyond<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) {}
pub fn lstm_last<const A: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    init: &State<A, M, T>,
    a: &[Matrix<A, M, T>],
    caches: &[Cache<A, M, T>],
    last: &mut State<A, M, T>,
) -> Result<(), LengthMismatch> {}
pub fn lstm_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    lengths: &[usize; M],
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &[Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    grads: &mut lstm::Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    dstate: &mut State<A, M, T>,
    scratch: &mut [State<A, M, T>; 2],
) -> Result<(), LengthMismatch> {}
pub fn rnn_last<const A: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    a0: &Matrix<A, M, T>,
    a: &[Matrix<A, M, T>],
    last: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {}
pub fn rnn_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    lengths: &[usize; M],
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &[Matrix<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    grads: &mut rnn::Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    da_state: &mut Matrix<A, M, T>,
    scratch: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {}

// ---- bptt::loss

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    Sum,
    Mean,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    Length(LengthMismatch),
    Class { class: usize, classes: usize },
}
pub fn softmax_cross_entropy<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    reduction: Reduction,
    dz: &mut [Matrix<Y, M, T>],
) -> Result<T, LengthMismatch> {}
pub fn softmax_cross_entropy_classes<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    classes: &[[usize; M]],
    reduction: Reduction,
    dz: &mut [Matrix<Y, M, T>],
) -> Result<T, TargetError> {}
pub fn squared_error<const Y: usize, const M: usize, T: Real>(
    y: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    reduction: Reduction,
    dy: &mut [Matrix<Y, M, T>],
) -> Result<T, LengthMismatch> {}
impl fmt::Display for TargetError {}
impl Error for TargetError {}
impl From<LengthMismatch> for TargetError {}

// ---- bptt::lstm

#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Params<const X: usize, const A: usize, T: Real = f32> {
    pub f: Affine<X, A, T>,
    pub i: Affine<X, A, T>,
    pub g: Affine<X, A, T>,
    pub o: Affine<X, A, T>,
}
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct State<const A: usize, const M: usize, T: Real = f32> {
    pub a: Matrix<A, M, T>,
    pub c: Matrix<A, M, T>,
}
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Cache<const A: usize, const M: usize, T: Real = f32> {
    pub f: Matrix<A, M, T>,
    pub i: Matrix<A, M, T>,
    pub g: Matrix<A, M, T>,
    pub o: Matrix<A, M, T>,
    pub c: Matrix<A, M, T>,
}
pub fn step<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    prev: &State<A, M, T>,
    next: &mut State<A, M, T>,
) {}
pub fn cell_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    prev: &State<A, M, T>,
    next: &mut State<A, M, T>,
    cache: &mut Cache<A, M, T>,
) {}
pub fn cell_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    prev: &State<A, M, T>,
    cache: &mut Cache<A, M, T>,
    dstate: &mut State<A, M, T>,
    grads: &mut Params<X, A, T>,
    dx: &mut Matrix<X, M, T>,
) {}
pub fn forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &[Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    da: &[Matrix<A, M, T>],
    grads: &mut Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    dstate: &mut State<A, M, T>,
) -> Result<(), LengthMismatch> {}
impl<const X: usize, const A: usize, T: Real> Params<X, A, T> {
    pub const fn zeros() -> Self {}
}
impl<const A: usize, const M: usize, T: Real> State<A, M, T> {
    pub const fn zeros() -> Self {}
}
impl<const A: usize, const M: usize, T: Real> Cache<A, M, T> {
    pub const fn zeros() -> Self {}
}

// ---- bptt::optimizer

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd<T: Real = f32> {
    pub learning_rate: T,
}
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum<T: Real = f32> {
    pub learning_rate: T,
    pub momentum: T,
}
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam<T: Real = f32> {
    pub learning_rate: T,
    pub beta1: T,
    pub beta2: T,
    pub epsilon: T,
    pub weight_decay: T,
    pub beta1_power: T,
    pub beta2_power: T,
}
pub fn clip_by_global_norm<T: Real>(grads: &mut [&mut [T]], max_norm: T) -> T {}
impl<T: Real> Sgd<T> {
    pub fn update(&self, weights: &mut [T], grads: &[T]) -> Result<(), LengthMismatch> {}
}
impl<T: Real> Momentum<T> {
    pub fn update(
        &self,
        weights: &mut [T],
        grads: &[T],
        velocity: &mut [T],
    ) -> Result<(), LengthMismatch> {}
}
impl<T: Real> Adam<T> {
    pub fn new(learning_rate: T) -> Self {}
    pub fn update(
        &mut self,
        weights: &mut [T],
        grads: &[T],
        m: &mut [T],
        v: &mut [T],
    ) -> Result<(), LengthMismatch> {}
}

// ---- bptt::patterns


// ---- bptt::rnn

pub type Params<const X: usize, const A: usize, T = f32> = Affine<X, A, T>;
pub fn cell_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    a_next: &mut Matrix<A, M, T>,
) {}
pub fn cell_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    a_next: &Matrix<A, M, T>,
    da_next: &mut Matrix<A, M, T>,
    grads: &mut Params<X, A, T>,
    dx: &mut Matrix<X, M, T>,
    da_prev: &mut Matrix<A, M, T>,
) {}
pub fn forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &mut [Matrix<A, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &[Matrix<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    grads: &mut Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    da_state: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {}

// ---- bptt

#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Affine<const X: usize, const A: usize, T: Real = f32> {
    pub wa: Matrix<A, A, T>,
    pub wx: Matrix<A, X, T>,
    pub b: Vector<A, T>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Baseline,
    Avx2,
    Avx512,
}
pub fn backend() -> Backend {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FloatEnvironmentError {
    pub rounding: bool,
    pub flushed_results: bool,
    pub flushed_operands: bool,
    pub fused: bool,
}
pub fn check_float_environment() -> Result<(), FloatEnvironmentError> {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthMismatch {
    pub what: &'static str,
    pub expected: usize,
    pub found: usize,
}
pub trait Flat: sealed::Sealed + Sized {
    type Scalar: Real;
    const LEN: usize;
    fn as_flat(&self) -> &[Self::Scalar] {}
    fn as_flat_mut(&mut self) -> &mut [Self::Scalar] {}
    fn from_flat(flat: &[Self::Scalar]) -> Result<&Self, LengthMismatch> {}
    fn from_flat_mut(flat: &mut [Self::Scalar]) -> Result<&mut Self, LengthMismatch> {}
    fn slice_as_flat(sequence: &[Self]) -> &[Self::Scalar] {}
    fn slice_as_flat_mut(sequence: &mut [Self]) -> &mut [Self::Scalar] {}
    fn slice_from_flat(flat: &[Self::Scalar]) -> Result<&[Self], LengthMismatch> {}
    fn slice_from_flat_mut(
        flat: &mut [Self::Scalar],
    ) -> Result<&mut [Self], LengthMismatch> {}
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {}
    fn read_le_bytes(&mut self, bytes: &[u8]) -> Result<(), LengthMismatch> {}
}
#[derive(Clone, Debug, PartialEq)]
#[repr(transparent)]
pub struct Matrix<const R: usize, const C: usize, T = f32>(Private);
pub type Vector<const R: usize, T = f32> = Matrix<R, 1, T>;
pub trait Real: sealed::Sealed + Copy + Default + PartialEq + PartialOrd + Debug + Display + Send + Sync + 'static + Add<
        Output = Self,
    > + Sub<
        Output = Self,
    > + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self> + AddAssign {
    const ZERO: Self;
    const ONE: Self;
    const INFINITY: Self;
    fn from_f64(x: f64) -> Self;
    fn from_usize(n: usize) -> Self;
    fn to_f64(self) -> f64;
    fn exp(self) -> Self;
    fn sigmoid(self) -> Self;
    fn tanh(self) -> Self;
    fn ln_1p(self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    fn is_finite(self) -> bool;
}
impl<const X: usize, const A: usize, T: Real> Affine<X, A, T> {
    pub const fn zeros() -> Self {}
}
impl<const R: usize, const C: usize> Matrix<R, C, f32> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize> Affine<X, A, f32> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize> lstm::Params<X, A, f32> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const A: usize, const M: usize> lstm::State<A, M, f32> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const A: usize, const Y: usize> dense::Params<A, Y, f32> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const R: usize, const C: usize> Matrix<R, C, f64> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize> Affine<X, A, f64> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize> lstm::Params<X, A, f64> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const A: usize, const M: usize> lstm::State<A, M, f64> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const A: usize, const Y: usize> dense::Params<A, Y, f64> {
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl fmt::Display for FloatEnvironmentError {}
impl Error for FloatEnvironmentError {}
impl fmt::Display for LengthMismatch {}
impl Error for LengthMismatch {}
impl<const R: usize, const C: usize, T: Real> Flat for Matrix<R, C, T> {
    type Scalar = T;
}
impl<const X: usize, const A: usize, T: Real> Flat for Affine<X, A, T> {
    type Scalar = T;
}
impl<const X: usize, const A: usize, T: Real> Flat for lstm::Params<X, A, T> {
    type Scalar = T;
}
impl<const A: usize, const M: usize, T: Real> Flat for lstm::State<A, M, T> {
    type Scalar = T;
}
impl<const A: usize, const M: usize, T: Real> Flat for lstm::Cache<A, M, T> {
    type Scalar = T;
}
impl<const A: usize, const Y: usize, T: Real> Flat for dense::Params<A, Y, T> {
    type Scalar = T;
}
impl<const R: usize, const C: usize, T: Real> Matrix<R, C, T> {
    pub const ROWS: usize = _;
    pub const COLUMNS: usize = _;
    pub const fn zeros() -> Self {}
    pub const fn from_rows(rows: [[T; C]; R]) -> Self {}
    pub const fn from_columns(columns: [[T; R]; C]) -> Self {}
    pub fn fill(&mut self, value: T) {}
    pub const fn columns(&self) -> &[[T; R]; C] {}
    pub const fn columns_mut(&mut self) -> &mut [[T; R]; C] {}
    pub fn column(&self, c: usize) -> Option<&[T; R]> {}
    pub fn column_mut(&mut self, c: usize) -> Option<&mut [T; R]> {}
    pub fn row(&self, r: usize) -> Option<impl ExactSizeIterator<Item = &T>> {}
    pub fn get(&self, r: usize, c: usize) -> Option<&T> {}
    pub fn get_mut(&mut self, r: usize, c: usize) -> Option<&mut T> {}
}
impl<const R: usize, const C: usize, T: Real> Default for Matrix<R, C, T> {}
impl<const R: usize, const C: usize, T> Index<(usize, usize)> for Matrix<R, C, T> {
    type Output = T;
}
impl<const R: usize, const C: usize, T> IndexMut<(usize, usize)> for Matrix<R, C, T> {}
impl Real for f32 {}
impl Real for f64 {}
