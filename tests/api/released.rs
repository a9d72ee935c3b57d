// Version 0.2.0
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

pub fn forward<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    cell: &'t C,
    x: &'t [Matrix<X, M, C::Scalar>],
    init: &'t C::State<M>,
    states: &'t mut [C::State<M>],
    a: &'t mut [Matrix<A, M, C::Scalar>],
    caches: &'t mut [C::Cache<M>],
) -> Result<Tape<'t, C, X, A, M>, LengthMismatch> {}
#[must_use = "call `backward`, or `let _ =` where only the states are wanted"]
pub struct Tape<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    Private,
);
impl<
    't,
    C: Cell<X, A>,
    const X: usize,
    const A: usize,
    const M: usize,
> Tape<'t, C, X, A, M> {
    pub fn states(&self) -> &'t [C::State<M>] {}
    pub fn backward(
        self,
        da: &mut [Matrix<A, M, C::Scalar>],
        mut gradient: impl FnMut(
            usize,
            &[Matrix<A, M, C::Scalar>],
            &mut [Matrix<A, M, C::Scalar>],
        ),
        grads: &mut C,
        mut dx: Option<&mut [Matrix<X, M, C::Scalar>]>,
        dstate: &mut C::State<M>,
    ) -> Result<(), LengthMismatch> {}
}

// ---- bptt::dense

#[derive(Debug, PartialEq)]
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
pub fn argmax<const Y: usize, T: Real>(column: &[T; Y]) -> usize {}
pub fn sequence_argmax<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    classes: &mut [[usize; M]],
) -> Result<(), LengthMismatch> {}
impl<const A: usize, const Y: usize, T: Real> Params<A, Y, T> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}

// ---- bptt::dropout

pub fn fill<F: Flat>(
    mask: &mut F,
    p: F::Scalar,
    uniform: impl FnMut() -> F::Scalar,
) -> Result<(), TrainingError> {}
pub fn apply<F: Flat>(mask: &F, x: &mut F) {}

// ---- bptt::gru

#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct ResetAfter<const X: usize, const A: usize, T: Real = f32> {
    pub r: Affine<X, A, T>,
    pub u: Affine<X, A, T>,
    pub n: Affine<X, A, T>,
    pub bna: Vector<A, T>,
}
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct ResetBefore<const X: usize, const A: usize, T: Real = f32> {
    pub r: Affine<X, A, T>,
    pub u: Affine<X, A, T>,
    pub n: Affine<X, A, T>,
}
pub trait Gru<const X: usize, const A: usize>: Cell<X, A> {}
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Cache<const A: usize, const M: usize, T: Real = f32> {
    pub r: Matrix<A, M, T>,
    pub u: Matrix<A, M, T>,
    pub n: Matrix<A, M, T>,
    pub s: Matrix<A, M, T>,
}
pub fn cell_forward<C: Gru<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    a_next: &mut Matrix<A, M, C::Scalar>,
    cache: &mut Cache<A, M, C::Scalar>,
) {}
pub fn cell_backward<C: Gru<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    cache: &mut Cache<A, M, C::Scalar>,
    dstate: &mut Matrix<A, M, C::Scalar>,
    grads: &mut C,
    dx: &mut Matrix<X, M, C::Scalar>,
) {}
impl<const X: usize, const A: usize, T: Real> ResetAfter<X, A, T> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, T: Real> ResetBefore<X, A, T> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, T: Real> Cell<X, A> for ResetAfter<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Cache<A, M, T>;
}
impl<const X: usize, const A: usize, T: Real> Cell<X, A> for ResetBefore<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Cache<A, M, T>;
}
impl<const X: usize, const A: usize, T: Real> Gru<X, A> for ResetAfter<X, A, T> {}
impl<const X: usize, const A: usize, T: Real> Gru<X, A> for ResetBefore<X, A, T> {}
impl<const A: usize, const M: usize, T: Real> Cache<A, M, T> {
    pub const fn zeros() -> Self {}
}

// ---- bptt::init

pub fn uniform<F: Flat>(
    weights: &mut F,
    limit: F::Scalar,
    uniform: impl FnMut() -> F::Scalar,
) {}
pub fn uniform_hidden<C: Cell<X, A>, const X: usize, const A: usize>(
    cell: &mut C,
    uniform: impl FnMut() -> C::Scalar,
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


// ---- bptt::layout::batch_first

pub fn read<const R: usize, const M: usize, T: Real>(
    sequence: &mut [Matrix<R, M, T>],
    array: &[T],
) -> Result<(), LengthMismatch> {}
pub fn write<const R: usize, const M: usize, T: Real>(
    sequence: &[Matrix<R, M, T>],
    array: &mut [T],
) -> Result<(), LengthMismatch> {}

// ---- bptt::layout::gate

pub fn read<const X: usize, const A: usize, T: Real>(
    gate: &mut Affine<X, A, T>,
    wx: &[T],
    wa: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write<const X: usize, const A: usize, T: Real>(
    gate: &Affine<X, A, T>,
    wx: &mut [T],
    wa: &mut [T],
    b: &mut [T],
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
pub fn read_gru_after<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_gru_after<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    kernel: &mut [T],
    recurrent_kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_gru_before<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetBefore<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_gru_before<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
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

// ---- bptt::layout::nam

pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    state: &mut lstm::State<A, 1, T>,
    layer: &[T],
) -> Result<(), LengthMismatch> {}
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    state: &lstm::State<A, 1, T>,
    layer: &mut [T],
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
pub fn read_gru_after<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_gru_after<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    w: &mut [T],
    r: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_gru_before<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetBefore<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {}
pub fn write_gru_before<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
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
pub fn read_gru<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    weight_ih: &[T],
    weight_hh: &[T],
    bias: Option<(&[T], &[T])>,
) -> Result<(), LengthMismatch> {}
pub fn write_gru<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
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
pub fn read_gru_after<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    w: [&[T]; 3],
    b: [&[T]; 3],
    bna: &[T],
) -> Result<(), LengthMismatch> {}
pub fn write_gru_after<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    w: [&mut [T]; 3],
    b: [&mut [T]; 3],
    bna: &mut [T],
) -> Result<(), LengthMismatch> {}
pub fn read_gru_before<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetBefore<X, A, T>,
    w: [&[T]; 3],
    b: [&[T]; 3],
) -> Result<(), LengthMismatch> {}
pub fn write_gru_before<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
    w: [&mut [T]; 3],
    b: [&mut [T]; 3],
) -> Result<(), LengthMismatch> {}

// ---- bptt::layout::tf1

pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    kernel: &[T],
    bias: &[T],
    forget_bias: T,
) -> Result<(), LengthMismatch> {}
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    kernel: &mut [T],
    bias: &mut [T],
    forget_bias: T,
) -> Result<(), LengthMismatch> {}

// ---- bptt::lengths

pub fn zero_beyond<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) {}
pub fn mask<const M: usize, T: Real>(lengths: &[usize; M], weights: &mut [[T; M]]) {}
pub fn reverse<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn padding_to_back<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn padding_to_front<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) -> Result<(), LengthMismatch> {}
pub fn last<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    lengths: &[usize; M],
    tape: &Tape<'_, C, X, A, M>,
    last: &mut C::State<M>,
) -> Result<(), LengthMismatch> {}
pub fn backward<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    lengths: &[usize; M],
    tape: Tape<'_, C, X, A, M>,
    da: &[Matrix<A, M, C::Scalar>],
    dlast: &C::State<M>,
    grads: &mut C,
    dx: Option<&mut [Matrix<X, M, C::Scalar>]>,
    dstate: &mut C::State<M>,
) -> Result<(), LengthMismatch> {}

// ---- bptt::loss

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    Sum,
    Mean,
}
pub fn softmax_cross_entropy<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    weights: Option<&[[T; M]]>,
    reduction: Reduction,
    dz: Option<&mut [Matrix<Y, M, T>]>,
) -> Result<T, LengthMismatch> {}
pub fn softmax_cross_entropy_classes<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    classes: &[[usize; M]],
    weights: Option<&[[T; M]]>,
    reduction: Reduction,
    dz: Option<&mut [Matrix<Y, M, T>]>,
) -> Result<T, TrainingError> {}
pub fn squared_error<const Y: usize, const M: usize, T: Real>(
    y: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    weights: Option<&[[T; M]]>,
    reduction: Reduction,
    dy: Option<&mut [Matrix<Y, M, T>]>,
) -> Result<T, LengthMismatch> {}

// ---- bptt::lstm

#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Params<const X: usize, const A: usize, T: Real = f32> {
    pub f: Affine<X, A, T>,
    pub i: Affine<X, A, T>,
    pub g: Affine<X, A, T>,
    pub o: Affine<X, A, T>,
}
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct State<const A: usize, const M: usize, T: Real = f32> {
    pub a: Matrix<A, M, T>,
    pub c: Matrix<A, M, T>,
}
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Cache<const A: usize, const M: usize, T: Real = f32> {
    pub f: Matrix<A, M, T>,
    pub i: Matrix<A, M, T>,
    pub g: Matrix<A, M, T>,
    pub o: Matrix<A, M, T>,
    pub c: Matrix<A, M, T>,
}
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
impl<const X: usize, const A: usize, T: Real> Params<X, A, T> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, T: Real> Cell<X, A> for Params<X, A, T> {
    type State<const M: usize> = State<A, M, T>;
    type Cache<const M: usize> = Cache<A, M, T>;
}
impl<const A: usize, const M: usize, T: Real> State<A, M, T> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
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
pub fn clip_by_global_norm<T: Real>(
    grads: &mut [&mut [T]],
    max_norm: T,
) -> Result<T, TrainingError> {}
impl<T: Real> Sgd<T> {
    pub fn update(&self, weights: &mut [T], grads: &[T]) -> Result<(), TrainingError> {}
}
impl<T: Real> Momentum<T> {
    pub fn update(
        &self,
        weights: &mut [T],
        grads: &[T],
        velocity: &mut [T],
    ) -> Result<(), TrainingError> {}
}
impl<T: Real> Adam<T> {
    pub fn new(learning_rate: T) -> Self {}
    pub fn update(
        &mut self,
        weights: &mut [T],
        grads: &[T],
        m: &mut [T],
        v: &mut [T],
    ) -> Result<(), TrainingError> {}
}

// ---- bptt::paths


// ---- bptt::patterns


// ---- bptt::quantized

pub trait Cell<const X: usize, const A: usize>: Default {
    type Float: crate::Cell<X, A, Scalar = f32>;
    type State<const M: usize>: Default + Clone + ::core::fmt::Debug + PartialEq + Eq;
    type Scales: Copy;
    const BYTES: usize;
    fn step<const M: usize>(
        &self,
        x: &[[i16; X]; M],
        state: &Self::State<M>,
        next: &mut Self::State<M>,
    );
    fn a<const M: usize>(state: &Self::State<M>) -> &[[i16; A]; M];
    fn x_scale(&self) -> Scale;
    fn a_scale(&self) -> Scale;
    fn quantize(
        &mut self,
        params: &Self::Float,
        scales: Self::Scales,
    ) -> Result<(), QuantizeError>;
    fn dequantize(&self, params: &mut Self::Float);
    fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch>;
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<const A: usize, const M: usize> {
    pub a: [[i16; A]; M],
    pub c: [[i32; A]; M],
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden<const A: usize, const M: usize>(pub [[i16; A]; M]);
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Lstm<const X: usize, const A: usize, W: Weight = i8>(Private);
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ResetAfter<const X: usize, const A: usize, W: Weight = i8>(Private);
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ResetBefore<const X: usize, const A: usize, W: Weight = i8>(Private);
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Rnn<const X: usize, const A: usize, W: Weight = i8>(Private);
rnn!(
    Rnn, rnn::Params < X, A >, rnn_step, CANDIDATE, false, | x | (x, Scale::UNIT), Scale,
    | params | params, params
);
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Relu<const X: usize, const A: usize, W: Weight = i8>(Private);
rnn!(
    Relu, rnn::Relu < X, A >, relu_step, 0, true, | scales | scales, (Scale, Scale), |
    params | & params.0, & mut params.0
);
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Dense<const A: usize, const Y: usize, W: Weight = i8>(Private);
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(Private);
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum QuantizeError {
    NotFinite { row: usize },
    TooLarge { row: usize, scale: f32, largest: f32 },
}
pub const SIGMOID_ERROR: f64 = _;
pub const TANH_ERROR: f64 = _;
pub trait Weight: sealed::Doors + Copy + ::core::fmt::Debug + PartialEq + Eq + Send + Sync + 'static {
    const LIMIT: i32;
}
impl<const A: usize, const M: usize> State<A, M> {
    pub const fn zeros() -> Self {}
}
impl<const A: usize, const M: usize> Default for State<A, M> {}
impl<const A: usize, const M: usize> Default for Hidden<A, M> {}
impl<const X: usize, const A: usize, W: Weight> Lstm<X, A, W> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, W: Weight> Default for Lstm<X, A, W> {}
impl<const X: usize, const A: usize, W: Weight> Cell<X, A> for Lstm<X, A, W> {
    type Float = lstm::Params<X, A>;
    type State<const M: usize> = State<A, M>;
    type Scales = Scale;
}
impl<const X: usize, const A: usize, W: Weight> ResetAfter<X, A, W> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, W: Weight> Default for ResetAfter<X, A, W> {}
impl<const X: usize, const A: usize, W: Weight> Cell<X, A> for ResetAfter<X, A, W> {
    type Float = gru::ResetAfter<X, A>;
    type State<const M: usize> = Hidden<A, M>;
    type Scales = Scale;
}
impl<const X: usize, const A: usize, W: Weight> ResetBefore<X, A, W> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, W: Weight> Default for ResetBefore<X, A, W> {}
impl<const X: usize, const A: usize, W: Weight> Cell<X, A> for ResetBefore<X, A, W> {
    type Float = gru::ResetBefore<X, A>;
    type State<const M: usize> = Hidden<A, M>;
    type Scales = Scale;
}
impl<const X: usize, const A: usize, W: Weight> Rnn<X, A, W> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, W: Weight> Default for Rnn<X, A, W> {}
impl<const X: usize, const A: usize, W: Weight> Relu<X, A, W> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, W: Weight> Default for Relu<X, A, W> {}
impl<const A: usize, const Y: usize, W: Weight> Default for Dense<A, Y, W> {}
impl<const A: usize, const Y: usize, W: Weight> Dense<A, Y, W> {
    pub const BYTES: usize = _;
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
    pub fn forward<const M: usize>(&self, a: &[[i16; A]; M], y: &mut [[i32; Y]; M]) {}
    pub fn quantize(
        &mut self,
        params: &dense::Params<A, Y>,
        a: Scale,
    ) -> Result<(), QuantizeError> {}
    pub fn dequantize(&self, params: &mut dense::Params<A, Y>) {}
    pub fn to_le_bytes(&self, bytes: &mut [u8]) -> Result<(), LengthMismatch> {}
}
impl Scale {
    pub const UNIT: Scale = _;
    pub const fn new(q: i8) -> Self {}
    pub const fn q(self) -> i8 {}
    pub fn of(values: &[f32]) -> Self {}
    pub const fn coarser(self, other: Scale) -> Scale {}
    pub fn quantize(
        self,
        values: &[f32],
        integers: &mut [i16],
    ) -> Result<usize, LengthMismatch> {}
    pub fn dequantize(
        self,
        integers: &[i16],
        values: &mut [f32],
    ) -> Result<(), LengthMismatch> {}
}
impl fmt::Display for QuantizeError {}
impl Error for QuantizeError {}

// ---- bptt::rnn

pub type Params<const X: usize, const A: usize, T = f32> = Affine<X, A, T>;
#[derive(Debug, PartialEq)]
#[repr(transparent)]
pub struct Relu<const X: usize, const A: usize, T: Real = f32>(pub Affine<X, A, T>);
pub trait Rnn<const X: usize, const A: usize>: Cell<X, A> {}
pub fn cell_forward<C: Rnn<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    a_next: &mut Matrix<A, M, C::Scalar>,
) {}
pub fn cell_backward<C: Rnn<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    a_next: &Matrix<A, M, C::Scalar>,
    dz: &mut Matrix<A, M, C::Scalar>,
    dstate: &mut Matrix<A, M, C::Scalar>,
    grads: &mut C,
    dx: &mut Matrix<X, M, C::Scalar>,
) {}
impl<const X: usize, const A: usize, T: Real> Cell<X, A> for Params<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Matrix<A, M, T>;
}
impl<const X: usize, const A: usize, T: Real> Relu<X, A, T> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<const X: usize, const A: usize, T: Real> Cell<X, A> for Relu<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Matrix<A, M, T>;
}
impl<const X: usize, const A: usize, T: Real> Rnn<X, A> for Params<X, A, T> {}
impl<const X: usize, const A: usize, T: Real> Rnn<X, A> for Relu<X, A, T> {}

// ---- bptt::schedule

pub fn cosine<T: Real>(step: usize, steps: Range<usize>) -> T {}
pub fn step_decay<T: Real>(step: usize, every: usize, factor: T) -> T {}

// ---- bptt

#[derive(Debug, PartialEq)]
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
pub trait Cell<const X: usize, const A: usize>: Sealed {
    type State<const M: usize>: Flat<Scalar = Self::Scalar>;
    type Cache<const M: usize>: Flat<Scalar = Self::Scalar>;
    fn step<const M: usize>(
        &self,
        x: &Matrix<X, M, Self::Scalar>,
        prev: &Self::State<M>,
        next: &mut Self::State<M>,
    ) {}
    fn forward<'t, const M: usize>(
        &'t self,
        x: &'t [Matrix<X, M, Self::Scalar>],
        init: &'t Self::State<M>,
        a: &'t mut [Matrix<A, M, Self::Scalar>],
        caches: &'t mut [Self::Cache<M>],
    ) -> Result<Tape<'t, Self, X, A, M>, LengthMismatch> {}
}
#[must_use = "call `backward`, or `let _ =` where only the outputs are wanted"]
pub struct Tape<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    Private,
);
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrainingError {
    Length(LengthMismatch),
    Class { class: usize, classes: usize },
    Setting { what: &'static str },
    Gradient { index: usize },
}
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not scalars in a row",
    label = "not flat",
    note = "matrices, parameters, states, caches, arrays of them and what `flat_struct!` declares are"
)]
pub trait Flat: sealed::Sealed + Clone + Debug + PartialEq + Send + Sync + 'static {
    type Scalar: Real;
    const LEN: usize;
    const ZEROS: Self;
    fn zeros() -> Self {}
    fn set_zeros(&mut self) {}
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
pub trait Fields: Sized + 'static {
    type Chain: Flat;
    type Parts<'a>: fmt::Debug;
    type PartsMut<'a>;
    fn parts(chain: &Self::Chain) -> Self::Parts<'_>;
    fn parts_mut(chain: &mut Self::Chain) -> Self::PartsMut<'_>;
}
#[repr(transparent)]
pub struct FlatStruct<F: Fields>(pub F::Chain);
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Pair<P, Q> {
    pub first: P,
    pub second: Q,
}
#[derive(Debug, PartialEq)]
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
by_memory!([const R : usize, const C : usize, T : Real] Matrix < R, C, T >);
flat!([const X : usize, const A : usize, T : Real] Affine < X, A, T >, T, wa wx b);
flat!([const X : usize, const A : usize, T : Real] lstm::Params < X, A, T >, T, f i g o);
flat!([const A : usize, const M : usize, T : Real] lstm::State < A, M, T >, T, a c);
flat!(
    [const A : usize, const M : usize, T : Real] lstm::Cache < A, M, T >, T, f i g o c
);
flat!(
    [const X : usize, const A : usize, T : Real] gru::ResetAfter < X, A, T >, T, r u n
    bna
);
flat!(
    [const X : usize, const A : usize, T : Real] gru::ResetBefore < X, A, T >, T, r u n
);
flat!([const A : usize, const M : usize, T : Real] gru::Cache < A, M, T >, T, r u n s);
flat!([const X : usize, const A : usize, T : Real] rnn::Relu < X, A, T >, T, 0);
flat!([const A : usize, const Y : usize, T : Real] dense::Params < A, Y, T >, T, w b);
flat!(
    [P : Flat, Q : Flat < Scalar = P::Scalar >] Pair < P, Q >, P::Scalar, first second
);
flat!([F : Fields] FlatStruct < F >, < F::Chain as Flat >::Scalar, 0);
#[macro_export]
macro_rules! flat_struct {}
impl<const X: usize, const A: usize, T: Real> Affine<X, A, T> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<
    't,
    C: Cell<X, A>,
    const X: usize,
    const A: usize,
    const M: usize,
> Tape<'t, C, X, A, M> {
    pub fn a(&self) -> &'t [Matrix<A, M, C::Scalar>] {}
    pub fn last(&self, last: &mut C::State<M>) {}
    pub fn backward(
        self,
        da: &[Matrix<A, M, C::Scalar>],
        grads: &mut C,
        dx: Option<&mut [Matrix<X, M, C::Scalar>]>,
        dstate: &mut C::State<M>,
    ) -> Result<(), LengthMismatch> {}
}
impl fmt::Display for FloatEnvironmentError {}
impl Error for FloatEnvironmentError {}
impl fmt::Display for LengthMismatch {}
impl Error for LengthMismatch {}
impl fmt::Display for TrainingError {}
impl Error for TrainingError {}
impl From<LengthMismatch> for TrainingError {}
impl<const R: usize, const C: usize, T: Real> Flat for Matrix<R, C, T> {
    type Scalar = T;
}
impl<F: Flat, const N: usize> Flat for [F; N] {
    type Scalar = F::Scalar;
}
impl<P: Flat, Q: Flat<Scalar = P::Scalar>> Pair<P, Q> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
}
impl<F: Fields> FlatStruct<F> {
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
    pub fn parts(&self) -> F::Parts<'_> {}
    pub fn parts_mut(&mut self) -> F::PartsMut<'_> {}
}
impl<F: Fields> PartialEq for FlatStruct<F> {}
impl<F: Fields> fmt::Debug for FlatStruct<F> {}
impl<const R: usize, const C: usize, T: Real> Matrix<R, C, T> {
    pub const ROWS: usize = _;
    pub const COLUMNS: usize = _;
    pub const fn zeros() -> Self {}
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {}
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
impl<const R: usize, const C: usize, T> Index<(usize, usize)> for Matrix<R, C, T> {
    type Output = T;
}
impl<const R: usize, const C: usize, T> IndexMut<(usize, usize)> for Matrix<R, C, T> {}
impl Real for f32 {}
impl Real for f64 {}
