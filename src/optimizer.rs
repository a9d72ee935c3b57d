//! Optimizers over flat slices: SGD, SGD with momentum, Adam, and clipping by the global norm.
//!
//! All see the weights as one slice ([`Flat::as_flat_mut`](crate::Flat::as_flat_mut)); what they
//! remember from update to update lies in buffers of the caller, zeroed at first.
//!
//! # What is refused
//! A training that diverges says so. Each update looks at the whole gradient first, and where an
//! entry is infinite or NaN, or so large that its square is not finite, it returns
//! [`TrainingError::Gradient`]; where a setting would give no number, [`TrainingError::Setting`].
//! Then nothing is updated: no weight, no moment, and Adam does not count. The caller may skip the
//! batch, or stop. So finite weights stay finite as long as they can be represented, and Adam's v
//! stays finite and cannot freeze a weight for ever, as an infinite v would.
//!
//! | setting | range |
//! |---|---|
//! | `learning_rate`, `momentum`, `weight_decay` | finite |
//! | `beta1`, `beta2` | 0 ≤ β < 1: with β = 1 the bias correction divides by 0 |
//! | `epsilon` | finite and above 0: with ε = 0 a weight without a gradient becomes 0/0 |
//! | `max_norm` | at least 0; +∞ for no limit |
//!
//! A limit by [`clip_by_global_norm`] comes before the update; there every finite entry will do.
//!
//! # Subnormal numbers
//!
//! What is remembered, v of [`Momentum`] and both moments of [`Adam`], becomes +0 where it is less
//! than the smallest normal number of its type in magnitude, 2⁻¹²⁶ in f32. −0 becomes +0 as well, a
//! NaN stays. Otherwise a moment whose gradient is zero from some update on would stick at a few
//! times 2⁻¹⁴⁹ for ever, and many processors take longer over such numbers. It is a rounding, with
//! an absolute error of less than 2⁻¹²⁶ or 1.2·10⁻³⁸, and the same on every target.

use crate::arch::{Core as _, Vector, one_by_one};
use crate::{LengthMismatch, Real, TrainingError};

/// An error where `right` is false.
#[inline(always)]
pub(crate) fn setting(what: &'static str, right: bool) -> Result<(), TrainingError> {
    if right {
        Ok(())
    } else {
        Err(TrainingError::Setting { what })
    }
}

/// An error where the square of an entry is not finite.
#[inline(always)]
fn check_gradient<T: Real>(grads: &[T]) -> Result<(), TrainingError> {
    let mut sum = T::ZERO;
    T::Core::add_zero_times_square(&mut sum, grads);
    if sum == T::ZERO {
        return Ok(());
    }
    not_finite(grads)
}

/// The error, with the place.
#[cold]
#[inline(never)]
fn not_finite<T: Real>(grads: &[T]) -> Result<(), TrainingError> {
    let index = grads.iter().take_while(|&&g| (g * g).is_finite()).count();
    Err(TrainingError::Gradient { index })
}

/// sum = sum + Σ 0·g²: 0 stays 0 as long as every square is finite, and is NaN from then on.
#[inline(always)]
pub(crate) fn add_zero_times_square<V: Vector>(sum: &mut V::Scalar, g: &[V::Scalar]) {
    if one_by_one::<V>() {
        return self::add_zero_times_square::<V::Half>(sum, g);
    }
    let zero = V::splat(V::Scalar::ZERO);
    let mut sums = zero;
    for i in (0..g.len()).step_by(V::LANES) {
        let g = V::load(g, i);
        sums = sums + zero * (g * g);
    }
    *sum = *sum + sums.sum();
}

/// Plain gradient descent: w = w − η·g.
///
/// ```
/// use bptt::optimizer::Sgd;
///
/// let mut w = [1.0_f32, 2.0];
/// Sgd { learning_rate: 0.5 }.update(&mut w, &[1.0, -1.0])?;
/// assert_eq!(w, [0.5, 2.5]);
/// # Ok::<(), bptt::TrainingError>(())
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
    /// [`TrainingError`] where `grads` has not the length of `weights`, and for
    /// [what is refused](self#what-is-refused); nothing is written then.
    ///
    /// ```
    /// # use bptt::{TrainingError, optimizer::Sgd};
    /// let (sgd, mut w) = (Sgd { learning_rate: 0.5 }, [1.0_f32, 2.0]);
    /// let error = sgd.update(&mut w, &[1.0, f32::INFINITY]).unwrap_err();
    /// assert_eq!((error, w), (TrainingError::Gradient { index: 1 }, [1.0, 2.0]));
    /// ```
    pub fn update(&self, weights: &mut [T], grads: &[T]) -> Result<(), TrainingError> {
        LengthMismatch::check("grads", weights.len(), grads.len())?;
        setting("learning_rate", self.learning_rate.is_finite())?;
        check_gradient(grads)?;
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
/// # Ok::<(), bptt::TrainingError>(())
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
    /// [`TrainingError`] where `grads` or `velocity` has not the length of `weights`, and for
    /// [what is refused](self#what-is-refused); nothing is written then.
    ///
    /// ```
    /// # use bptt::optimizer::Momentum;
    /// let sgd = Momentum { learning_rate: 0.5, momentum: 0.5 };
    /// let error = sgd.update(&mut [1.0_f32], &[1.0], &mut []).unwrap_err();
    /// assert_eq!(error.to_string(), "`velocity` has length 0, expected 1");
    /// ```
    pub fn update(
        &self,
        weights: &mut [T],
        grads: &[T],
        velocity: &mut [T],
    ) -> Result<(), TrainingError> {
        LengthMismatch::check("grads", weights.len(), grads.len())?;
        LengthMismatch::check("velocity", weights.len(), velocity.len())?;
        setting("learning_rate", self.learning_rate.is_finite())?;
        setting("momentum", self.momentum.is_finite())?;
        check_gradient(grads)?;
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
        let next = (mu * V::load(v, i) + V::load(g, i)).flush();
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
/// # Ok::<(), bptt::TrainingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam<T: Real = f32> {
    /// η; may be changed from update to update.
    pub learning_rate: T,
    /// β₁, from 0 to below 1.
    pub beta1: T,
    /// β₂, from 0 to below 1.
    pub beta2: T,
    /// ε, above 0.
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
    /// [`TrainingError`] where `grads`, `m` or `v` has not the length of `weights`, and for
    /// [what is refused](self#what-is-refused); nothing is written then, and the update is not
    /// counted.
    ///
    /// ```
    /// # use bptt::optimizer::Adam;
    /// // The first step is η in the direction of the sign of the gradient.
    /// let mut w = [0.0_f32, 0.0];
    /// Adam::new(0.5).update(&mut w, &[3.0, -0.01], &mut [0.0; 2], &mut [0.0; 2])?;
    /// assert!((w[0] + 0.5).abs() < 1e-5 && (w[1] - 0.5).abs() < 1e-5);
    /// # Ok::<(), bptt::TrainingError>(())
    /// ```
    pub fn update(
        &mut self,
        weights: &mut [T],
        grads: &[T],
        m: &mut [T],
        v: &mut [T],
    ) -> Result<(), TrainingError> {
        LengthMismatch::check("grads", weights.len(), grads.len())?;
        LengthMismatch::check("m", weights.len(), m.len())?;
        LengthMismatch::check("v", weights.len(), v.len())?;
        setting("learning_rate", self.learning_rate.is_finite())?;
        setting("beta1", (T::ZERO..T::ONE).contains(&self.beta1))?;
        setting("beta2", (T::ZERO..T::ONE).contains(&self.beta2))?;
        setting(
            "epsilon",
            self.epsilon > T::ZERO && self.epsilon.is_finite(),
        )?;
        setting("weight_decay", self.weight_decay.is_finite())?;
        check_gradient(grads)?;
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
        let m_now = (beta1 * V::load(m, i) + rest1 * g_now).flush();
        let v_now = (beta2 * V::load(v, i) + rest2 * (g_now * g_now)).flush();
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

/// Scales all gradients by one factor so that their common Euclidean norm is at most `max_norm`
/// within rounding; returns the norm before.
///
/// Pascanu, Mikolov and Bengio (2013). The slices count as one vector, so that the direction stays.
/// g = g / norm · max_norm where norm > `max_norm`; all of it is 0 with `max_norm` 0, and nothing
/// is changed with +∞, which asks for the norm alone.
///
/// The norm is computed relative to the greatest entry, so that no square overflows or vanishes.
/// Where the norm itself is too large for `T` it is returned as +∞, and the gradients are clipped
/// all the same. Measured by this function, the norm afterwards may exceed `max_norm` by the
/// roundings of two norms and of the scaling: relative to it by at most (n + 8)·ε/2 for n entries
/// in all, with ε = 2⁻²³ in `f32` and 2⁻⁵² in `f64`. A gradient that must not exceed it at all
/// needs a `max_norm` that is less by that much. Where entries become subnormal their own roundings
/// add to it.
///
/// # Errors
/// [`TrainingError::Gradient`] where an entry is not finite; [`TrainingError::Setting`] where
/// `max_norm` is negative or NaN. Nothing is changed then.
///
/// ```
/// use bptt::TrainingError;
/// use bptt::optimizer::clip_by_global_norm;
///
/// let (mut cell, mut head) = ([3.0_f32, 0.0], [4.0]);
/// let norm = clip_by_global_norm(&mut [&mut cell, &mut head], 1.0)?;
/// assert_eq!(norm, 5.0);
/// assert_eq!((cell, head), ([0.6, 0.0], [0.8]));
///
/// let error = clip_by_global_norm(&mut [&mut cell, &mut [f32::NAN]], 1.0).unwrap_err();
/// assert_eq!(error, TrainingError::Gradient { index: 2 });
/// # Ok::<(), TrainingError>(())
/// ```
pub fn clip_by_global_norm<T: Real>(
    grads: &mut [&mut [T]],
    max_norm: T,
) -> Result<T, TrainingError> {
    setting("max_norm", max_norm >= T::ZERO)?;
    T::Core::clip_by_global_norm(grads, max_norm)
}

/// [`clip_by_global_norm`]
pub(crate) fn clip<T: Real>(grads: &mut [&mut [T]], max_norm: T) -> Result<T, TrainingError> {
    let max = greatest(grads)?;
    if max == T::ZERO {
        return Ok(T::ZERO);
    }
    // √(Σ g²) = g_max·√(Σ (g/g_max)²)
    let mut sum = T::ZERO;
    for g in grads.iter().flat_map(|grads| grads.iter()) {
        let relative = *g / max;
        sum = sum + relative * relative;
    }
    let norm = max * sum.sqrt();
    if norm > max_norm {
        for g in grads.iter_mut().flat_map(|grads| grads.iter_mut()) {
            // max_norm / norm could be subnormal.
            *g = if norm.is_finite() {
                *g / norm * max_norm
            } else {
                *g / max / sum.sqrt() * max_norm
            };
        }
    }
    Ok(norm)
}

/// The greatest |g|.
fn greatest<T: Real>(grads: &[&mut [T]]) -> Result<T, TrainingError> {
    let mut max = T::ZERO;
    for (index, g) in grads.iter().flat_map(|grads| grads.iter()).enumerate() {
        if !g.is_finite() {
            return Err(TrainingError::Gradient { index });
        }
        if g.abs() > max {
            max = g.abs();
        }
    }
    Ok(max)
}
