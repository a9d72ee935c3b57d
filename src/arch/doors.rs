//! The doors to the core: every function that is compiled in this crate, for f32 and f64 and for
//! each instruction set.
//!
//! A shell, generic over shapes, turns its arguments into slices and dimensions and goes through a
//! door; behind it nothing is generic but the vector, and each kernel is compiled here once for
//! each instruction set, at this crate's optimisation level.

#[cfg(any(bptt_avx2, bptt_avx512))]
use super::detect::{Backend, found};
use super::{Gates, Steps, StepsMut};
use crate::gru::{
    after::{self, After},
    before::{self, Before},
};
use crate::lstm::core::{self as lstm, Lstm};
use crate::rnn::core::{self as rnn, Relu, RnnRelu, RnnTanh, Tanh};
use crate::sequence::{self, Arriving, Weights};
use crate::shape::{Samples, Shape};
use crate::{Real, TrainingError, activation, bytes, dense, dropout, loss, optimizer, product};

/// The doors for f32.
pub struct Single;
/// The doors for f64.
pub struct Double;

macro_rules! doors {
    (
        vectors { $( $(#[$attribute:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $room:ident::$kernel:ident$(<$of:ident>)?; )* }
        scalars { $( fn $plain:ident($($parg:ident: $ptype:ty),* $(,)?) $(-> $result:ty)? = $proom:ident::$pkernel:ident$(<$cell:ident>)?; )* }
    ) => {
        /// What the core does with scalars T.
        pub trait Core<T: Real> {
            $( fn $name($($arg: $type),*); )*
            $( fn $plain($($parg: $ptype),*) $(-> $result)?; )*
        }

        doors! {
            scalar Single, f32, single, [ $( [$(#[$attribute])*] $name ($($arg: $type),*) ($room::$kernel $($of)?) )* ],
            [ $( $plain ($($parg: $ptype),*) ($($result)?) ($proom::$pkernel $($cell)?) )* ]
        }
        doors! {
            scalar Double, f64, double, [ $( [$(#[$attribute])*] $name ($($arg: $type),*) ($room::$kernel $($of)?) )* ],
            [ $( $plain ($($parg: $ptype),*) ($($result)?) ($proom::$pkernel $($cell)?) )* ]
        }
    };
    (
        scalar $doors:ident, $float:ident, $module:ident,
        [ $( [$(#[$attribute:meta])*] $name:ident ($($arg:ident: $type:ty),*) ($room:ident::$kernel:ident $($of:ident)?) )* ],
        [ $( $plain:ident ($($parg:ident: $ptype:ty),*) ($($result:ty)?) ($proom:ident::$pkernel:ident $($cell:ident)?) )* ]
    ) => {
        mod $module {
            use super::*;
            use super::vectors::$module::*;

            type T = $float;

            impl Core<$float> for $doors {
                $(
                    $(#[$attribute])*
                    #[cfg_attr(not(target_os = "none"), inline(never))] // As below.
                    fn $name($($arg: $type),*) {
                        #[cfg(bptt_avx512)]
                        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                        unsafe fn avx512($($arg: $type),*) {
                            $room::$kernel::<$($of,)? Avx512>($($arg),*)
                        }
                        #[cfg(bptt_avx2)]
                        #[target_feature(enable = "avx2")]
                        unsafe fn avx2($($arg: $type),*) {
                            $room::$kernel::<$($of,)? Avx2>($($arg),*)
                        }
                        #[cfg(any(bptt_avx2, bptt_avx512))]
                        match found() {
                            #[cfg(bptt_avx512)]
                            // SAFETY: `found` names AVX-512 only where the processor has all of it.
                            Backend::Avx512 => return unsafe { avx512($($arg),*) },
                            #[cfg(bptt_avx2)]
                            // SAFETY: `found` names AVX2 only where the processor has it.
                            Backend::Avx2 => return unsafe { avx2($($arg),*) },
                            _ => {}
                        }
                        $room::$kernel::<$($of,)? Baseline>($($arg),*)
                    }
                )*
                $(
                    // A small function may be compiled again in the user's crate, at its
                    // optimisation level. In an image for a microcontroller, whose shapes are few,
                    // that is welcome: link-time optimisation then knows them.
                    #[cfg_attr(not(target_os = "none"), inline(never))]
                    fn $plain($($parg: $ptype),*) $(-> $result)? {
                        $proom::$pkernel::<$float $(, $cell)?>($($parg),*)
                    }
                )*
            }
        }
    };
}

doors! {
    vectors {
        fn exp(x: &mut [T]) = activation::exp_all;
        fn sigmoid(x: &mut [T]) = activation::sigmoid_all;
        fn tanh(x: &mut [T]) = activation::tanh_all;

        fn forward(w: &[T], bias: Option<&[T]>, u: &Steps<T>, z: StepsMut<T>, columns: usize) = product::forward;
        fn transposed(w: Gates<T>, gates: usize, dz: &Steps<T>, gate: usize, du: StepsMut<T>, columns: usize, add: bool) = product::transposed;
        fn outer(dw: &mut [T], dz: &Steps<T>, u: &Steps<T>, first: Option<&[T]>, steps: usize) = product::outer;
        #[cfg_attr(target_os = "none", inline(never))] // Or its registers would take stack below the products.
        fn add_columns(db: &mut [T], dz: &Steps<T>, steps: usize) = product::add_columns;

        fn lstm_step(units: usize, weights: Weights<T>, x: &[T], prev: [&[T]; 2], next: [&mut [T]; 2]) = lstm::step_column;
        fn lstm_step_in_memory(units: usize, weights: Weights<T>, x: &[T], prev: [&[T]; 2], next: [&mut [T]; 2]) = lstm::step_in_memory;
        fn lstm_columns(shape: Shape, params: &[T], x: &[T], init: &[T], a: &mut [T], caches: &mut [T]) = lstm::columns;
        fn lstm_recurrence(units: usize, weights: Weights<T>, prev: [&[T]; 2], cache: &mut [T], apart: usize, a: &mut [T]) = lstm::recurrence;
        fn lstm_units(c_prev: &[T], cache: &mut [T], apart: usize, a: &mut [T]) = lstm::units;
        #[cfg_attr(target_os = "none", inline(never))] // As above.
        fn lstm_units_backward(c_prev: &[T], cache: &mut [T], dstate: &mut [T]) = lstm::units_backward;

        fn gru_after_step(units: usize, weights: Weights<T>, x: &[T], a_prev: &[T], a: &mut [T]) = after::step_column;
        fn gru_after_step_in_memory(units: usize, weights: Weights<T>, x: &[T], a_prev: &[T], a: &mut [T]) = after::step_in_memory;
        fn gru_after_columns(shape: Shape, params: &[T], x: &[T], init: &[T], a: &mut [T], caches: &mut [T]) = after::columns;
        fn gru_after_recurrence(units: usize, weights: Weights<T>, a_prev: &[T], cache: &mut [T], matrix: usize, a: &mut [T]) = after::recurrence;
        fn gru_after_units(a_prev: &[T], cache: &mut [T], apart: usize, a: &mut [T]) = after::units;
        #[cfg_attr(target_os = "none", inline(never))] // As above.
        fn gru_after_units_backward(a_prev: &[T], cache: &mut [T], dstate: &mut [T]) = after::units_backward;

        fn gru_before_step(units: usize, weights: Weights<T>, x: &[T], a_prev: &[T], a: &mut [T]) = before::step_column;
        fn gru_before_recurrence(units: usize, weights: Weights<T>, a_prev: &[T], cache: &mut [T], matrix: usize, a: &mut [T]) = before::recurrence;
        fn gru_before_reset(a_prev: &[T], r: &mut [T], s: &mut [T]) = before::reset;
        fn gru_before_update(a_prev: &[T], u: &mut [T], n: &mut [T], a: &mut [T]) = before::update;
        fn gru_before_reset_backward(a_prev: &[T], r: &mut [T], s: &mut [T], dstate: &mut [T]) = before::reset_backward;
        fn gru_before_update_backward(a_prev: &[T], u: &mut [T], n: &mut [T], dstate: &mut [T]) = before::update_backward;

        fn rnn_recurrence(shape: Shape, wa: &[T], a_prev: &[T], a: &mut [T]) = rnn::recurrence<Tanh>;
        fn rnn_units(a: &mut [T]) = rnn::units<Tanh>;
        fn rnn_units_backward(a: &[T], dh: &[T], dz: &mut [T]) = rnn::units_backward<Tanh>;
        fn relu_recurrence(shape: Shape, wa: &[T], a_prev: &[T], a: &mut [T]) = rnn::recurrence<Relu>;
        fn relu_units(a: &mut [T]) = rnn::units<Relu>;
        fn relu_units_backward(a: &[T], dh: &[T], dz: &mut [T]) = rnn::units_backward<Relu>;

        fn add(sum: &mut [T], term: &[T]) = optimizer::add;
        fn multiply(x: &mut [T], factor: &[T]) = dropout::multiply;
        fn add_zero_times_square(sum: &mut T, g: &[T]) = optimizer::add_zero_times_square;
        fn sgd(learning_rate: T, w: &mut [T], g: &[T]) = optimizer::sgd;
        fn momentum(learning_rate: T, momentum: T, w: &mut [T], g: &[T], v: &mut [T]) = optimizer::momentum;
        fn adam(adam: &optimizer::Adam<T>, w: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) = optimizer::adam;
    }
    scalars {
        fn lstm_step_all(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) = lstm::step;
        fn lstm_forward(shape: Shape, params: &[T], x: &[T], init: &[T], a: &mut [T], caches: &mut [T]) = sequence::forward<Lstm>;
        fn lstm_backward(
            shape: Shape, params: &[T], x: &[T], init: &[T], a: &[T], caches: &mut [T], da: Arriving<T>, grads: &mut [T],
            dx: Option<&mut [T]>, dstate: &mut [T],
        ) = sequence::backward<Lstm>;
        fn gru_after_step_all(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) = after::step;
        fn gru_after_forward(shape: Shape, params: &[T], x: &[T], init: &[T], a: &mut [T], caches: &mut [T]) = sequence::forward<After>;
        fn gru_after_backward(
            shape: Shape, params: &[T], x: &[T], init: &[T], a: &[T], caches: &mut [T], da: Arriving<T>, grads: &mut [T],
            dx: Option<&mut [T]>, dstate: &mut [T],
        ) = sequence::backward<After>;
        fn gru_before_step_all(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) = before::step;
        fn gru_before_forward(shape: Shape, params: &[T], x: &[T], init: &[T], a: &mut [T], caches: &mut [T]) = sequence::forward<Before>;
        fn gru_before_backward(
            shape: Shape, params: &[T], x: &[T], init: &[T], a: &[T], caches: &mut [T], da: Arriving<T>, grads: &mut [T],
            dx: Option<&mut [T]>, dstate: &mut [T],
        ) = sequence::backward<Before>;
        fn rnn_step(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) = rnn::step<Tanh>;
        fn rnn_forward(shape: Shape, params: &[T], x: &[T], init: &[T], a: &mut [T], caches: &mut [T]) = sequence::forward<RnnTanh>;
        fn rnn_backward(
            shape: Shape, params: &[T], x: &[T], init: &[T], a: &[T], caches: &mut [T], da: Arriving<T>, grads: &mut [T],
            dx: Option<&mut [T]>, dstate: &mut [T],
        ) = sequence::backward<RnnTanh>;
        fn relu_step(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) = rnn::step<Relu>;
        fn relu_forward(shape: Shape, params: &[T], x: &[T], init: &[T], a: &mut [T], caches: &mut [T]) = sequence::forward<RnnRelu>;
        fn relu_backward(
            shape: Shape, params: &[T], x: &[T], init: &[T], a: &[T], caches: &mut [T], da: Arriving<T>, grads: &mut [T],
            dx: Option<&mut [T]>, dstate: &mut [T],
        ) = sequence::backward<RnnRelu>;
        fn dense_forward(shape: Shape, params: &[T], a: &[T], y: &mut [T]) = dense::forward_all;
        fn dense_backward(shape: Shape, params: &[T], a: &[T], dy: &[T], grads: &mut [T], da: &mut [T]) = dense::backward_all;

        fn softmax(classes: usize, z: &mut [T]) = dense::softmax_all;
        fn softmax_backward(classes: usize, y: &[T], dy: &mut [T]) = dense::softmax_backward_all;
        fn argmax(units: usize, z: &[T], classes: &mut [usize]) = dense::argmax_all;
        fn cross_entropy(classes: usize, samples: Samples<T>, z: &[T], target: &[T], dz: &mut [T]) -> T = loss::cross_entropy;
        fn cross_entropy_classes(classes: usize, samples: Samples<T>, z: &[T], class: &[usize], dz: &mut [T]) -> T = loss::cross_entropy_classes;
        fn squared_error(outputs: usize, samples: Samples<T>, y: &[T], target: &[T], dy: &mut [T]) -> T = loss::squared_error_all;
        fn clip_by_global_norm(grads: &mut [&mut [T]], max_norm: T) -> Result<T, TrainingError> = optimizer::clip;
        fn write_le(scalars: &[T], bytes: &mut [u8]) = bytes::write_all;
        fn read_le(scalars: &mut [T], bytes: &[u8]) = bytes::read_all;
    }
}

/// The vectors of each scalar and instruction set.
mod vectors {
    pub(super) mod single {
        pub(in super::super) use crate::arch::baseline::Single as Baseline;
        #[cfg(bptt_avx2)]
        pub(in super::super) use crate::arch::x86::F32x8 as Avx2;
        #[cfg(bptt_avx512)]
        pub(in super::super) use crate::arch::x86::F32x16 as Avx512;
    }
    pub(super) mod double {
        pub(in super::super) use crate::arch::baseline::Double as Baseline;
        #[cfg(bptt_avx2)]
        pub(in super::super) use crate::arch::x86::F64x4 as Avx2;
        #[cfg(bptt_avx512)]
        pub(in super::super) use crate::arch::x86::F64x8 as Avx512;
    }
}
