//! A network from the `state_dict` of a PyTorch module, saved as `.safetensors`.

use bptt::layout::pytorch;
use safetensors::SafeTensors;

use crate::model::{A, Network, X, Y};
use crate::tensor::Tensor;

/// `lstm` and `head` are what the module calls its `torch.nn.LSTM` and its `torch.nn.Linear`.
pub fn read(bytes: &[u8], lstm: &str, head: &str) -> Result<Network, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("no whole safetensors file: {error}"))?;
    let numbers = |name: String, shape: &[usize]| {
        let Ok(view) = file.tensor(&name) else {
            let mut names = file.names();
            names.sort_unstable();
            return Err(format!(
                "no tensor `{name}`, there are {}",
                names.join(", ")
            ));
        };
        let tensor = Tensor {
            name: &name,
            dtype: format!("{:?}", view.dtype()),
            shape: view.shape().to_vec(),
            bytes: view.data(),
        };
        tensor.numbers("F32", shape)
    };

    let weight_ih = numbers(format!("{lstm}.weight_ih_l0"), &[4 * A, X])?;
    let weight_hh = numbers(format!("{lstm}.weight_hh_l0"), &[4 * A, A])?;
    let bias_ih = numbers(format!("{lstm}.bias_ih_l0"), &[4 * A])?;
    let bias_hh = numbers(format!("{lstm}.bias_hh_l0"), &[4 * A])?;
    let weight = numbers(format!("{head}.weight"), &[Y, A])?;
    let bias = numbers(format!("{head}.bias"), &[Y])?;

    let mut network = Network::default();
    let biases = Some((&bias_ih[..], &bias_hh[..]));
    pytorch::read_lstm(&mut network.cell, &weight_ih, &weight_hh, biases)
        .and_then(|()| pytorch::read_linear(&mut network.head, &weight, Some(&bias)))
        .map_err(|error| error.to_string())?;
    Ok(network)
}
