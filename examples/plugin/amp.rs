//! A network in the fixed sizes of this crate: what a plug-in keeps for one channel of sound.

use std::mem;

use bptt::{Affine, Cell, Matrix, Vector, dense, gru, lstm};

use crate::read::network::{self, Activation, Gate, Kind, Layer, Network};

/// Sound goes through it block by block; its state stays from one block to the next.
pub trait Amp {
    /// Replaces each sample of a block, of any length, by what the network makes of it.
    fn process(&mut self, block: &mut [f32]);
}

/// The numbers of units that there are: for each the compiler makes the networks of its size.
macro_rules! sizes {
    ($($a:literal)*) => {
        const SIZES: &[usize] = &[$($a),*];

        fn sized(units: usize, model: &Model) -> Option<Box<dyn Amp>> {
            match units {
                $($a => model.amp::<$a>(),)*
                _ => None,
            }
        }
    };
}

sizes!(1 2 3 4 8 12 16 20 24 32 40 48 64 80 96);

/// The amp of a network: at its beginning, and the one allocation there is.
pub fn build(network: &Network) -> Result<Box<dyn Amp>, String> {
    let amp = Model::of(network).and_then(|model| sized(model.head.inputs, &model));
    amp.ok_or_else(|| {
        let sizes: Vec<_> = SIZES.iter().map(usize::to_string).collect();
        let sizes = sizes.join(", ");
        format!(
            "{network} is none of the amps that are compiled in: one input, one or two layers of \
             LSTM or GRU (both of one kind and size) with {sizes} units, and a dense layer with one \
             output; the example `import` writes a module for any network"
        )
    })
}

/// A network of the form that an amp has, of any size.
struct Model<'a> {
    cells: Vec<&'a network::Cell>,
    head: &'a network::Dense,
    network: &'a Network,
}

impl<'a> Model<'a> {
    fn of(network: &'a Network) -> Option<Self> {
        let Some((Layer::Dense(head), layers)) = network.layers.split_last() else {
            return None;
        };
        let forward = |layer: &'a Layer| match layer {
            Layer::Forward(cell) if cell.units == head.inputs => Some(cell),
            _ => None,
        };
        let cells = layers.iter().map(forward).collect::<Option<Vec<_>>>()?;
        let mono = network.inputs() == 1 && head.outputs == 1;
        (mono && head.activation == Activation::None).then_some(Model {
            cells,
            head,
            network,
        })
    }

    fn amp<const A: usize>(&self) -> Option<Box<dyn Amp>> {
        let kinds: Vec<Kind> = self.cells.iter().map(|cell| cell.kind).collect();
        Some(match (&kinds[..], &self.cells[..]) {
            ([Kind::Lstm], [one]) => self.with(Running::<lstm::Params<1, A>, 1, A>::new(one)),
            ([Kind::GruAfter], [one]) => {
                self.with(Running::<gru::ResetAfter<1, A>, 1, A>::new(one))
            }
            ([Kind::Lstm, Kind::Lstm], [below, above]) => self.with((
                Running::<lstm::Params<1, A>, 1, A>::new(below),
                Running::<lstm::Params<A, A>, A, A>::new(above),
            )),
            ([Kind::GruAfter, Kind::GruAfter], [below, above]) => self.with((
                Running::<gru::ResetAfter<1, A>, 1, A>::new(below),
                Running::<gru::ResetAfter<A, A>, A, A>::new(above),
            )),
            _ => return None,
        })
    }

    fn with<const A: usize>(&self, layers: impl Recurrent<1, A> + 'static) -> Box<dyn Amp> {
        Box::new(Sized {
            layers,
            head: dense::Params {
                w: matrix(&self.head.w),
                b: matrix(&self.head.b),
            },
            gain: self.network.gain,
            skip: self.network.skip,
        })
    }
}

/// An amp with A units.
struct Sized<R, const A: usize> {
    layers: R,
    head: dense::Params<A, 1>,
    gain: [f32; 2],
    skip: bool,
}

impl<R: Recurrent<1, A>, const A: usize> Amp for Sized<R, A> {
    fn process(&mut self, block: &mut [f32]) {
        let [before, after] = self.gain;
        let mut y = Vector::<1>::zeros();
        for sample in block {
            let x = Vector::from_columns([[*sample * before]]);
            dense::forward(&self.head, self.layers.step(&x), &mut y);
            if self.skip {
                y[(0, 0)] += x[(0, 0)];
            }
            *sample = y[(0, 0)] * after;
        }
    }
}

/// One layer, or one above the other.
trait Recurrent<const X: usize, const A: usize> {
    /// Goes a sample on and returns a⟨t⟩.
    fn step(&mut self, x: &Vector<X>) -> &Vector<A>;
}

impl<C: Load<X, A>, const X: usize, const A: usize> Recurrent<X, A> for Running<C, X, A> {
    fn step(&mut self, x: &Vector<X>) -> &Vector<A> {
        self.cell.step(x, &self.state, &mut self.next);
        mem::swap(&mut self.state, &mut self.next);
        C::a(&self.state)
    }
}

impl<B, C, const X: usize, const A: usize> Recurrent<X, A> for (B, C)
where
    B: Recurrent<X, A>,
    C: Recurrent<A, A>,
{
    fn step(&mut self, x: &Vector<X>) -> &Vector<A> {
        self.1.step(self.0.step(x))
    }
}

/// A cell and where it is.
struct Running<C: Load<X, A>, const X: usize, const A: usize> {
    cell: C,
    state: C::State<1>,
    next: C::State<1>,
}

impl<C: Load<X, A>, const X: usize, const A: usize> Running<C, X, A> {
    fn new(cell: &network::Cell) -> Self {
        Running {
            cell: C::load(cell),
            state: C::start(cell),
            next: C::start(cell),
        }
    }
}

/// A cell of this crate, from the weights of a file. The sizes are those of the type.
trait Load<const X: usize, const A: usize>: Cell<X, A, Scalar = f32> {
    fn load(cell: &network::Cell) -> Self;
    fn start(cell: &network::Cell) -> Self::State<1>;
    fn a(state: &Self::State<1>) -> &Vector<A>;
}

impl<const X: usize, const A: usize> Load<X, A> for lstm::Params<X, A> {
    fn load(cell: &network::Cell) -> Self {
        let [f, i, g, o] = [0, 1, 2, 3].map(|q| affine(&cell.gates[q]));
        lstm::Params { f, i, g, o }
    }

    fn start(cell: &network::Cell) -> lstm::State<A, 1> {
        lstm::State {
            a: matrix(&cell.a),
            c: matrix(&cell.c),
        }
    }

    fn a(state: &lstm::State<A, 1>) -> &Vector<A> {
        &state.a
    }
}

impl<const X: usize, const A: usize> Load<X, A> for gru::ResetAfter<X, A> {
    fn load(cell: &network::Cell) -> Self {
        let [r, u, n] = [0, 1, 2].map(|q| affine(&cell.gates[q]));
        let bna = matrix(&cell.bna);
        gru::ResetAfter { r, u, n, bna }
    }

    fn start(cell: &network::Cell) -> Vector<A> {
        matrix(&cell.a)
    }

    fn a(state: &Vector<A>) -> &Vector<A> {
        state
    }
}

fn affine<const X: usize, const A: usize>(gate: &Gate) -> Affine<X, A> {
    Affine {
        wa: matrix(&gate.wa),
        wx: matrix(&gate.wx),
        b: matrix(&gate.b),
    }
}

/// Of numbers row by row.
fn matrix<const R: usize, const C: usize>(numbers: &[f32]) -> Matrix<R, C> {
    let mut matrix = Matrix::zeros();
    for (r, row) in numbers.chunks_exact(C).enumerate() {
        for (c, number) in row.iter().enumerate() {
            matrix[(r, c)] = *number;
        }
    }
    matrix
}
