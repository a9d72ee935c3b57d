//! A tensor as a file describes it, and what may be wrong with it.

pub struct Tensor<'a> {
    pub name: &'a str,
    /// The name of the type, as the format writes it.
    pub dtype: String,
    pub shape: Vec<usize>,
    /// The numbers row by row, the least significant byte first, as both formats prescribe.
    pub bytes: &'a [u8],
}

impl Tensor<'_> {
    /// The numbers, where the type is `dtype`, an f32, and the shape is `shape`.
    pub fn numbers(&self, dtype: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let name = self.name;
        if self.dtype != dtype {
            return Err(format!("`{name}` is {}, expected {dtype}", self.dtype));
        }
        if self.shape != shape {
            let found = &self.shape;
            return Err(format!("`{name}` has shape {found:?}, expected {shape:?}"));
        }
        let (found, expected) = (self.bytes.len(), 4 * shape.iter().product::<usize>());
        if found != expected {
            return Err(format!("`{name}` has {found} bytes, expected {expected}"));
        }
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(self.bytes.chunks_exact(4).map(number).collect())
    }
}
