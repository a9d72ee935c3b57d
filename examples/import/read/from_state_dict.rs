//! The tensors of a PyTorch module, named as `state_dict` names them.
//!
//! Names and shapes say which modules there are, but not in which order they are called, nor what
//! is done between them. The order is that of the names, the recurrent modules first; numbers alone
//! (`torch.nn.Sequential`) are the order themselves. Where the sizes do not fit so, they must fit in
//! one order alone; recurrent modules of the same sizes need a number in their names. Two dense layers in a row have something between them that no tensor says.

use std::fmt;

use crate::read::network::{Activation, Cell, Dense, Kind, Layer, Network, Stacked};
use crate::read::tensor::Tensors;

/// What has a name in the module: its layers fit onto each other.
struct Module {
    /// With the dot, as in `lstm.`; empty where the tensors have no prefix.
    prefix: String,
    layers: Vec<Layer>,
}

/// `relu`: the RNNs have nonlinearity="relu", which no tensor says.
pub fn read(mut tensors: Tensors, relu: bool) -> Result<Network, String> {
    let names: Vec<String> = tensors.0.keys().cloned().collect();
    if let Some(name) = names
        .iter()
        .find(|name| split(name).1.starts_with("weight_hr"))
    {
        return Err(format!(
            "`{name}`: projections (proj_size) are not supported"
        ));
    }
    let mut modules = Vec::new();
    for name in &names {
        let (prefix, parameter) = split(name);
        let layers = match parameter {
            "weight_ih_l0" => recurrent(&mut tensors, prefix, relu)?,
            "weight_ih" => vec![Layer::Forward(cell(&mut tensors, prefix, "", relu)?)],
            "weight" if tensors.shape(name).is_some_and(|shape| shape.len() == 2) => {
                vec![Layer::Dense(linear(&mut tensors, prefix)?)]
            }
            _ => continue,
        };
        let prefix = prefix.to_owned();
        modules.push(Module { prefix, layers });
    }
    tensors.finish()?;
    let layers = ordered(modules)?;
    let rnn = |layer: &Layer| layer.kind() == Some(Kind::RnnRelu);
    if relu && !layers.iter().any(rnn) {
        return Err("there is no RNN, which --relu is for".to_owned());
    }
    Network::new(layers)
}

/// `a.b.weight` is `weight` of `a.b.`
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').map_or(0, |dot| dot + 1))
}

/// `torch.nn.LSTM`, `GRU` or `RNN`: all its layers.
fn recurrent(tensors: &mut Tensors, prefix: &str, relu: bool) -> Result<Vec<Layer>, String> {
    let mut layers = Vec::new();
    loop {
        let forward = format!("_l{}", layers.len());
        let backward = format!("{forward}_reverse");
        let there = |suffix| {
            tensors
                .shape(&format!("{prefix}weight_ih{suffix}"))
                .is_some()
        };
        let (first, second) = (there(&forward), there(&backward));
        if !first {
            return Ok(layers);
        }
        let cell = |tensors: &mut _, suffix: &str| cell(tensors, prefix, suffix, relu);
        let first = cell(tensors, &forward)?;
        layers.push(match second {
            true => Layer::Both(first, cell(tensors, &backward)?),
            false => Layer::Forward(first),
        });
    }
}

/// One layer in one direction.
fn cell(tensors: &mut Tensors, prefix: &str, suffix: &str, relu: bool) -> Result<Cell, String> {
    let named = |parameter: &str| format!("{prefix}{parameter}{suffix}");
    let [weight_ih, weight_hh] = ["weight_ih", "weight_hh"].map(named);
    let [bias_ih, bias_hh] = ["bias_ih", "bias_hh"].map(named);

    let (rows, units) = tensors.matrix(&weight_hh)?;
    let kinds = [(4, Kind::Lstm), (3, Kind::GruAfter), (1, Kind::RnnTanh)];
    let kind = kinds.into_iter().find(|(gates, _)| rows == gates * units);
    let (kind, blocks): (_, &[usize]) = match kind.map(|(_, kind)| kind) {
        Some(Kind::Lstm) => (Kind::Lstm, &[1, 0, 2, 3]), // i, f, g, o
        Some(Kind::RnnTanh) if relu => (Kind::RnnRelu, &[0]),
        Some(kind) => (kind, &[0, 1, 2]), // r, z, n
        None => {
            let (four, three) = (4 * units, 3 * units);
            return Err(format!(
                "`{weight_hh}` has shape [{rows}, {units}], expected [{four}, {units}] (LSTM), \
                 [{three}, {units}] (GRU) or [{units}, {units}] (RNN)"
            ));
        }
    };
    let (_, inputs) = tensors.matrix(&weight_ih)?;
    let wx = tensors.take(&weight_ih, &[rows, inputs])?;
    let wa = tensors.take(&weight_hh, &[rows, units])?;
    let without = [&bias_ih, &bias_hh]
        .iter()
        .all(|name| tensors.shape(name).is_none());
    let [b, b_recurrent] = match without {
        true => [Vec::new(), Vec::new()], // bias=False
        false => [
            tensors.take(&bias_ih, &[rows])?,
            tensors.take(&bias_hh, &[rows])?,
        ],
    };
    let stacked = Stacked {
        kind,
        inputs,
        units,
        blocks,
        transposed: false,
        wx: &wx,
        wa: &wa,
        b: &b,
        b_recurrent: &b_recurrent,
    };
    Ok(stacked.cell())
}

/// `torch.nn.Linear`
fn linear(tensors: &mut Tensors, prefix: &str) -> Result<Dense, String> {
    let [weight, bias] = ["weight", "bias"].map(|parameter| format!("{prefix}{parameter}"));
    let (outputs, inputs) = tensors.matrix(&weight)?;
    let w = tensors.take(&weight, &[outputs, inputs])?;
    let b = match tensors.shape(&bias) {
        Some(_) => tensors.take(&bias, &[outputs])?,
        None => vec![0.0; outputs],
    };
    Ok(Dense {
        inputs,
        outputs,
        w,
        b,
        activation: Activation::None,
    })
}

/// The layers of all modules, in the order that is described above.
fn ordered(mut modules: Vec<Module>) -> Result<Vec<Layer>, String> {
    modules.sort_by_cached_key(|module| natural(&module.prefix));
    let by_name: Vec<usize> = (0..modules.len()).collect();
    let mut recurrent_first = by_name.clone();
    recurrent_first.sort_by_key(|&k| modules[k].is_dense());
    let tries = match are_numbered(&modules) {
        true => vec![by_name],
        false => vec![recurrent_first, by_name],
    };
    let fits = |order: &Vec<usize>| {
        let mut pairs = order.windows(2);
        pairs.all(|pair| modules[pair[1]].fits_onto(&modules[pair[0]]))
    };
    let order = match tries.into_iter().find(fits) {
        Some(order) => order,
        None => the_only_order(&modules)?,
    };
    if !are_numbered(&modules) {
        interchangeable(&modules)?;
    }
    let layers = order.iter().flat_map(|&k| &modules[k].layers);
    Ok(layers.cloned().collect())
}

/// An error for two recurrent modules of the same sizes, which fit in either order, unless it is a
/// number in their names that says it: the alphabet has a decoder before its encoder.
fn interchangeable(modules: &[Module]) -> Result<(), String> {
    let rnns: Vec<&Module> = modules.iter().filter(|m| !m.is_dense()).collect();
    let word = |module: &Module| module.name().replace(|c: char| c.is_ascii_digit(), "");
    let sizes = |module: &Module| (module.inputs(), module.outputs());
    for (k, first) in rnns.iter().enumerate() {
        let others = &mut rnns[..k].iter();
        if let Some(other) = others.find(|o| sizes(o) == sizes(first) && word(o) != word(first)) {
            return Err(format!(
                "nothing says which comes first, {other} or {first}: number their names"
            ));
        }
    }
    Ok(())
}

/// Whether their names are numbers within one module.
fn are_numbered(modules: &[Module]) -> bool {
    let mut names = modules.iter().map(|module| split(module.name()));
    let first = names.clone().next().map(|(parent, _)| parent);
    names.all(|(parent, name)| Some(parent) == first && name.parse::<u64>().is_ok())
}

/// The order in which modules fit onto each other, where there is but one.
fn the_only_order(modules: &[Module]) -> Result<Vec<usize>, String> {
    /// More are not searched: the number of orders is the factorial.
    const MOST: usize = 8;
    let mut all = Vec::new();
    if modules.len() <= MOST {
        search(modules, &mut Vec::new(), &mut all);
    }
    let how = match (&all[..], modules.len()) {
        ([order], _) => return Ok(order.clone()),
        ([], ..=MOST) => "in no order",
        ([], _) => "in another order than that of their names",
        _ => "in more than one order",
    };
    let sizes: Vec<_> = modules.iter().map(Module::to_string).collect();
    let dense = modules.iter().filter(|module| module.is_dense());
    let note = match dense.count() {
        0 | 1 => "",
        _ => " (and no tensor says what is between dense layers in a row)",
    };
    let sizes = sizes.join(", ");
    Err(format!(
        "the modules fit onto each other {how}: {sizes}{note}"
    ))
}

/// Puts all orders that begin like this one and fit into `all`, until there are two.
fn search(modules: &[Module], order: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    if order.len() == modules.len() {
        all.push(order.clone());
    }
    for next in 0..modules.len() {
        let fits = |last: &usize| modules[next].fits_onto(&modules[*last]);
        if all.len() < 2 && !order.contains(&next) && order.last().is_none_or(fits) {
            order.push(next);
            search(modules, order, all);
            order.pop();
        }
    }
}

impl Module {
    fn is_dense(&self) -> bool {
        matches!(self.layers[..], [Layer::Dense(_)])
    }

    fn name(&self) -> &str {
        self.prefix.trim_end_matches('.')
    }

    fn inputs(&self) -> usize {
        self.layers.first().map_or(0, Layer::inputs)
    }

    fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::outputs)
    }

    fn fits_onto(&self, below: &Module) -> bool {
        !(self.is_dense() && below.is_dense()) && self.inputs() == below.outputs()
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.name(), self.inputs(), self.outputs())
    }
}

/// The name, such that 10 comes after 9.
fn natural(name: &str) -> String {
    let digits = |part: &str| match part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{part:0>20}"),
        false => part.to_owned(),
    };
    let is_digit = |c: &char| c.is_ascii_digit();
    let characters: Vec<char> = name.chars().collect();
    let parts = characters.chunk_by(|a, b| is_digit(a) == is_digit(b));
    parts
        .map(|part| digits(&part.iter().collect::<String>()))
        .collect()
}
