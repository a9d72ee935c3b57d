//! A PyTorch `state_dict`, saved as `.safetensors`.

use safetensors::{Dtype, SafeTensors};

use crate::read::from_state_dict;
use crate::read::network::Network;
use crate::read::tensor::{Tensor, Tensors};

pub fn read(bytes: &[u8], relu: bool) -> Result<Network, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("no whole safetensors file: {error}"))?;
    let mut tensors = Tensors::default();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("`{name}` is {:?}, expected F32", view.dtype()));
        }
        // The file has as many bytes as the shape says: `deserialize` has compared them.
        let tensor = Tensor::from_le_bytes(view.shape().to_vec(), view.data());
        tensors.0.insert(name.to_owned(), tensor);
    }
    from_state_dict::read(tensors, relu)
}
