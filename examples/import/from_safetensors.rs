//! A network from the `state_dict` of a PyTorch module, saved as `.safetensors`.

use bptt::layout::pytorch;
use bptt::rnn::Relu;
use safetensors::SafeTensors;

use crate::model::{A, Cell, Network, X, Y, made};
use crate::tensor::Tensor;

/// `layer` and `head` are what the module calls its `torch.nn.LSTM`, `GRU` or `RNN` and its
/// `torch.nn.Linear`. Which of the three it is, the shape of its weights says; whether an RNN was
/// made with `nonlinearity="relu"` nothing in the file does, but `relu`.
pub fn read(bytes: &[u8], layer: &str, head: &str, relu: bool) -> Result<Network, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("no whole safetensors file: {error}"))?;
    let view = |name: &str| {
        file.tensor(name).map_err(|_| {
            let mut names = file.names();
            names.sort_unstable();
            format!("no tensor `{name}`, there are {}", names.join(", "))
        })
    };
    let numbers = |name: String, shape: &[usize]| {
        let view = view(&name)?;
        let tensor = Tensor {
            name: &name,
            dtype: format!("{:?}", view.dtype()),
            shape: view.shape().to_vec(),
            bytes: view.data(),
        };
        tensor.numbers("F32", shape)
    };

    let weight_ih = format!("{layer}.weight_ih_l0");
    let shape = view(&weight_ih)?.shape().to_vec();
    let gates = [4, 3, 1].into_iter().find(|gates| shape == [gates * A, X]);
    let gates = gates.ok_or_else(|| {
        format!(
            "`{weight_ih}` has shape {shape:?}, expected [{}, {X}] (LSTM), [{}, {X}] (GRU) or \
             [{A}, {X}] (RNN)",
            4 * A,
            3 * A
        )
    })?;
    if relu && gates != 1 {
        return Err(format!("`{weight_ih}` is not that of an RNN with ReLU"));
    }
    let weight_ih = numbers(weight_ih, &[gates * A, X])?;
    let weight_hh = numbers(format!("{layer}.weight_hh_l0"), &[gates * A, A])?;
    let bias_ih = numbers(format!("{layer}.bias_ih_l0"), &[gates * A])?;
    let bias_hh = numbers(format!("{layer}.bias_hh_l0"), &[gates * A])?;
    let weight = numbers(format!("{head}.weight"), &[Y, A])?;
    let bias = numbers(format!("{head}.bias"), &[Y])?;

    let (w, r) = (&weight_ih, &weight_hh);
    let biases = Some((&bias_ih[..], &bias_hh[..]));
    let cell = match (gates, relu) {
        (4, _) => Cell::Lstm(made(|cell| pytorch::read_lstm(cell, w, r, biases))?),
        (3, _) => Cell::GruAfter(made(|cell| pytorch::read_gru(cell, w, r, biases))?),
        (_, false) => Cell::RnnTanh(made(|cell| pytorch::read_rnn(cell, w, r, biases))?),
        (_, true) => Cell::RnnRelu(made(|Relu(cell)| pytorch::read_rnn(cell, w, r, biases))?),
    };
    let head = *made(|head| pytorch::read_linear(head, &weight, Some(&bias)))?;
    Ok(Network { cell, head })
}
