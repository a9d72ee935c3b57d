//! The tensors of a file, each of which a network must use.

use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    /// Row by row.
    pub numbers: Vec<f32>,
}

impl Tensor {
    /// Of numbers that have their least significant byte first, as many as the shape says.
    pub fn from_le_bytes(shape: Vec<usize>, bytes: &[u8]) -> Self {
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let numbers = bytes.chunks_exact(4).map(number).collect();
        Tensor { shape, numbers }
    }

    /// The numbers, where the shape is this; `what` is how an error calls the tensor.
    pub fn shaped(&self, what: &str, shape: &[usize]) -> Result<&[f32], String> {
        match self.shape == shape {
            true => Ok(&self.numbers),
            false => Err(format!(
                "{what} has shape {:?}, expected {shape:?}",
                self.shape
            )),
        }
    }
}

/// By their names. What is taken out has been used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(pub BTreeMap<String, Tensor>);

impl Tensors {
    /// The shape of a tensor, where there is one of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.0.get(name).map(|tensor| &tensor.shape[..])
    }

    /// The rows and columns of a matrix that must be there. None is 0.
    pub fn matrix(&self, name: &str) -> Result<(usize, usize), String> {
        match self.shape(name) {
            Some(&[rows, columns]) if rows > 0 && columns > 0 => Ok((rows, columns)),
            Some(shape) => Err(format!("`{name}` has shape {shape:?}, expected a matrix")),
            None => Err(self.missing(name)),
        }
    }

    /// The numbers of a tensor that must have this shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let Some(tensor) = self.0.remove(name) else {
            return Err(self.missing(name));
        };
        tensor.shaped(&format!("`{name}`"), shape)?;
        Ok(tensor.numbers)
    }

    fn missing(&self, name: &str) -> String {
        match self.0.len() {
            0 => format!("no tensor `{name}`"),
            _ => format!("no tensor `{name}`, what is left are {}", self.names()),
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.0.keys().map(String::as_str).collect();
        names.join(", ")
    }

    /// An error that names what has not been used.
    pub fn finish(self) -> Result<(), String> {
        match self.0.len() {
            0 => Ok(()),
            _ => Err(format!("not used: {}", self.names())),
        }
    }
}
