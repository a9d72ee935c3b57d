//! Optimizers over flat slices: SGD, SGD with momentum, Adam, and clipping by the global norm.
//!
//! All see the weights as one slice ([`Flat::as_flat_mut`](crate::Flat::as_flat_mut)); what they
//! remember from update to update lies in buffers of the caller, zeroed at first.

use crate::arch::{Core as _, Vector, one_by_one};
use crate::{LengthMismatch, Real};

/// Plain gradient descent: w = w − η·g.
///
/// ```
/// use bptt::optimizer::Sgd;
///
/// let mut w = [1.0_f32, 2.0];
/// Sgd { learning_rate: 0.5 }.update(&mut w, &[1.0, -1.0])?;
/// assert_eq!(w, [0.5, 2.5]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd<T: Real = f32> {
    /// η
    pub learning_rate: T,
}

impl<T: Real> Sgd<T> {
    /// One update of `weights` by the gradient `grads`.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `grads` has not the length of `weights`; nothing is written then.
    ///
    /// ```
    /// # use bptt::optimizer::Sgd;
    /// let error = Sgd { learning_rate: 0.5 }.update(&mut [1.0_f32, 2.0], &[1.0]).unwrap_err();
    /// assert_eq!((error.expected, error.found), (2, 1));
    /// ```
    pub fn update(&self, weights: &mut [T], grads: &[T]) -> Result<(), LengthMismatch> {
        LengthMismatch::check("grads", weights.len(), grads.len())?;
        T::Core::sgd(self.learning_rate, weights, grads);
        Ok(())
    }
}

/// w = w − η·g
#[inline(always)]
pub(crate) fn sgd<V: Vector>(learning_rate: V::Scalar, w: &mut [V::Scalar], g: &[V::Scalar]) {
    if one_by_one::<V>() {
        return self::sgd::<V::Half>(learning_rate, w, g);
    }
    let eta = V::splat(learning_rate);
    for i in (0..w.len()).step_by(V::LANES) {
        (V::load(w, i) - eta * V::load(g, i)).store(w, i);
    }
}

/// Gradient descent with momentum: v = μ·v + g, then w = w − η·v.
///
/// Polyak (1964) in the form that PyTorch uses (no dampening).
///
/// ```
/// use bptt::optimizer::Momentum;
///
/// let sgd = Momentum { learning_rate: 0.5, momentum: 0.5 };
/// let (mut w, mut velocity) = ([1.0_f32], [0.0]);
/// sgd.update(&mut w, &[1.0], &mut velocity)?;
/// sgd.update(&mut w, &[1.0], &mut velocity)?;
/// assert_eq!((w, velocity), ([-0.25], [1.5]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum<T: Real = f32> {
    /// η
    pub learning_rate: T,
    /// μ
    pub momentum: T,
}

impl<T: Real> Momentum<T> {
    /// One update of `weights` by the gradient `grads`; `velocity` is v, zeros at first.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `grads` or `velocity` has not the length of `weights`; nothing is written then.
    ///
    /// ```
    /// # use bptt::optimizer::Momentum;
    /// let sgd = Momentum { learning_rate: 0.5, momentum: 0.5 };
    /// assert_eq!(sgd.update(&mut [1.0_f32], &[1.0], &mut []).unwrap_err().what, "velocity");
    /// ```
    pub fn update(
        &self,
        weights: &mut [T],
        grads: &[T],
        velocity: &mut [T],
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("grads", weights.len(), grads.len())?;
        LengthMismatch::check("velocity", weights.len(), velocity.len())?;
        T::Core::momentum(self.learning_rate, self.momentum, weights, grads, velocity);
        Ok(())
    }
}

/// v = μ·v + g, w = w − η·v
#[inline(always)]
pub(crate) fn momentum<V: Vector>(
    learning_rate: V::Scalar,
    momentum: V::Scalar,
    w: &mut [V::Scalar],
    g: &[V::Scalar],
    v: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return self::momentum::<V::Half>(learning_rate, momentum, w, g, v);
    }
    let (eta, mu) = (V::splat(learning_rate), V::splat(momentum));
    for i in (0..w.len()).step_by(V::LANES) {
        let next = mu * V::load(v, i) + V::load(g, i);
        next.store(v, i);
        (V::load(w, i) - eta * next).store(w, i);
    }
}

/// Adam with bias correction, and on request with decoupled weight decay (AdamW).
///
/// Kingma and Ba (2015), algorithm 1; Loshchilov and Hutter (2019) for the decay λ. For update
/// number t:
///
/// | | |
/// |---|---|
/// | m = β₁·m + (1 − β₁)·g | first moment |
/// | v = β₂·v + (1 − β₂)·g² | second moment |
/// | m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ) | bias correction |
/// | w = w − η·(m̂ / (√v̂ + ε) + λ·w) | update |
///
/// One `Adam` for each slice of weights: it counts the updates.
///
/// ```
/// use bptt::optimizer::Adam;
///
/// let mut adam = Adam::new(0.1_f32);
/// let (mut w, mut m, mut v) = ([1.0], [0.0], [0.0]);
/// for _ in 0..200 {
///     let g = [2.0 * w[0]]; // the gradient of w²
///     adam.update(&mut w, &g, &mut m, &mut v)?;
/// }
/// assert!(w[0].abs() < 1e-2);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam<T: Real = f32> {
    /// η; may be changed from update to update.
    pub learning_rate: T,
    /// β₁
    pub beta1: T,
    /// β₂
    pub beta2: T,
    /// ε
    pub epsilon: T,
    /// λ, 0 for plain Adam.
    pub weight_decay: T,
    /// β₁ᵗ, 1 before the first update; together with β₂ᵗ and the moments all that a checkpoint
    /// needs.
    pub beta1_power: T,
    /// β₂ᵗ, 1 before the first update.
    pub beta2_power: T,
}

impl<T: Real> Adam<T> {
    /// Adam before its first update, with β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸ and no weight decay, as
    /// the paper has them.
    ///
    /// ```
    /// use bptt::optimizer::Adam;
    ///
    /// let adam_w = Adam { weight_decay: 0.01, ..Adam::new(0.001_f32) };
    /// assert_eq!(adam_w.beta1, 0.9);
    /// ```
    pub fn new(learning_rate: T) -> Self {
        Adam {
            learning_rate,
            beta1: T::from_f64(0.9),
            beta2: T::from_f64(0.999),
            epsilon: T::from_f64(1e-8),
            weight_decay: T::ZERO,
            beta1_power: T::ONE,
            beta2_power: T::ONE,
        }
    }

    /// One update of `weights` by the gradient `grads`; `m` and `v` are the moments, zeros at
    /// first.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `grads`, `m` or `v` has not the length of `weights`; nothing is written then, and the update is not
    /// counted.
    ///
    /// ```
    /// # use bptt::optimizer::Adam;
    /// // The first step is η in the direction of the sign of the gradient.
    /// let mut w = [0.0_f32, 0.0];
    /// Adam::new(0.5).update(&mut w, &[3.0, -0.01], &mut [0.0; 2], &mut [0.0; 2])?;
    /// assert!((w[0] + 0.5).abs() < 1e-5 && (w[1] - 0.5).abs() < 1e-5);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn update(
        &mut self,
        weights: &mut [T],
        grads: &[T],
        m: &mut [T],
        v: &mut [T],
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("grads", weights.len(), grads.len())?;
        LengthMismatch::check("m", weights.len(), m.len())?;
        LengthMismatch::check("v", weights.len(), v.len())?;
        self.beta1_power = self.beta1_power * self.beta1;
        self.beta2_power = self.beta2_power * self.beta2;
        T::Core::adam(self, weights, grads, m, v);
        Ok(())
    }
}

/// The table of [`Adam`], for an update that has been counted.
#[inline(always)]
pub(crate) fn adam<V: Vector>(
    adam: &Adam<V::Scalar>,
    w: &mut [V::Scalar],
    g: &[V::Scalar],
    m: &mut [V::Scalar],
    v: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return self::adam::<V::Half>(adam, w, g, m, v);
    }
    let c = V::splat;
    let one = V::Scalar::ONE;
    let (beta1, beta2) = (c(adam.beta1), c(adam.beta2));
    let (rest1, rest2) = (c(one - adam.beta1), c(one - adam.beta2));
    let (correct1, correct2) = (c(one - adam.beta1_power), c(one - adam.beta2_power));
    let (eta, epsilon, lambda) = (c(adam.learning_rate), c(adam.epsilon), c(adam.weight_decay));
    for i in (0..w.len()).step_by(V::LANES) {
        let (w_now, g_now) = (V::load(w, i), V::load(g, i));
        let m_now = beta1 * V::load(m, i) + rest1 * g_now;
        let v_now = beta2 * V::load(v, i) + rest2 * (g_now * g_now);
        m_now.store(m, i);
        v_now.store(v, i);
        let (m_hat, v_hat) = (m_now / correct1, v_now / correct2);
        let step = m_hat / (v_hat.sqrt() + epsilon) + lambda * w_now;
        (w_now - eta * step).store(w, i);
    }
}

/// sum = sum + term
#[inline(always)]
pub(crate) fn add<V: Vector>(sum: &mut [V::Scalar], term: &[V::Scalar]) {
    if one_by_one::<V>() {
        return self::add::<V::Half>(sum, term);
    }
    for i in (0..sum.len()).step_by(V::LANES) {
        (V::load(sum, i) + V::load(term, i)).store(sum, i);
    }
}

/// Scales all gradients by one factor so that their common Euclidean norm is at most `max_norm`;
/// returns the norm before.
///
/// Pascanu, Mikolov and Bengio (2013). The slices count as one vector, so that the direction stays.
/// The norm is computed relative to the greatest entry and overflows only if it is itself too large
/// for `T`. Where it is not finite (an infinite or NaN gradient) nothing is changed: check what is
/// returned before an update.
///
/// ```
/// use bptt::optimizer::clip_by_global_norm;
///
/// let (mut cell, mut head) = ([3.0_f32, 0.0], [4.0]);
/// let norm = clip_by_global_norm(&mut [&mut cell, &mut head], 1.0);
/// assert_eq!(norm, 5.0);
/// assert_eq!((cell, head), ([0.6, 0.0], [0.8]));
/// assert!(clip_by_global_norm(&mut [&mut [f32::NAN]], 1.0).is_nan());
/// ```
pub fn clip_by_global_norm<T: Real>(grads: &mut [&mut [T]], max_norm: T) -> T {
    T::Core::clip_by_global_norm(grads, max_norm)
}

/// [`clip_by_global_norm`]
pub(crate) fn clip<T: Real>(grads: &mut [&mut [T]], max_norm: T) -> T {
    let norm = global_norm(grads);
    if norm.is_finite() && norm > max_norm {
        for g in grads.iter_mut().flat_map(|grads| grads.iter_mut()) {
            *g = *g / norm * max_norm; // max_norm / norm could be subnormal
        }
    }
    norm
}

/// √(Σ g²) = g_max·√(Σ (g/g_max)²)
fn global_norm<T: Real>(grads: &[&mut [T]]) -> T {
    let all = || grads.iter().flat_map(|grads| grads.iter());
    let mut max = T::ZERO;
    for g in all() {
        if !g.is_finite() {
            return g.abs(); // +∞ or NaN
        }
        if g.abs() > max {
            max = g.abs();
        }
    }
    if max == T::ZERO {
        return T::ZERO;
    }
    let mut sum = T::ZERO;
    for g in all() {
        let relative = *g / max;
        sum = sum + relative * relative;
    }
    max * sum.sqrt()
}
