//! exp, sigmoid and tanh. (Interim: through `libm`.)
#![allow(missing_docs)]
pub(crate) fn exp_f32(x: f32) -> f32 {
    libm::expf(x)
}
pub(crate) fn sigmoid_f32(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}
pub(crate) fn tanh_f32(x: f32) -> f32 {
    libm::tanhf(x)
}
pub(crate) fn exp_f64(x: f64) -> f64 {
    libm::exp(x)
}
pub(crate) fn sigmoid_f64(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}
pub(crate) fn tanh_f64(x: f64) -> f64 {
    libm::tanh(x)
}
pub fn exp<T: crate::Real>(x: T) -> T {
    x.exp()
}
pub fn sigmoid<T: crate::Real>(x: T) -> T {
    x.sigmoid()
}
pub fn tanh<T: crate::Real>(x: T) -> T {
    x.tanh()
}
