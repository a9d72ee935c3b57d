//! Matrix and vector: fixed size, column-major, one flat array.

use core::ops::{Index, IndexMut};

use crate::{Real, flat};

/// An R × C matrix, stored by columns in one flat array.
///
/// The entry in row `r` and column `c` stands at `c * R + r` of the flat array, as in BLAS,
/// nalgebra and Eigen. So each sample of a batch (a column of `x`) is contiguous, and so is each
/// column of a weight matrix. [`Flat`](crate::Flat) views the matrix as a slice and a slice as a
/// matrix.
///
/// `Matrix` is not `Copy`: a copy of one is a visible `clone`.
///
/// ```
/// use bptt::{Flat, Matrix};
///
/// static W: Matrix<2, 3> = Matrix::from_rows([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(W[(1, 0)], 4.0);
/// assert_eq!(W.as_flat(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// ```
///
/// A matrix without entries is rejected when the program is compiled:
///
/// ```compile_fail
/// let w: bptt::Matrix<0, 3> = bptt::Matrix::zeros();
/// ```
///
/// and so is one that the address space cannot hold:
///
/// ```compile_fail
/// static W: bptt::Matrix<{ usize::MAX / 2 }, 8> = bptt::Matrix::zeros();
/// ```
#[derive(Debug, PartialEq)]
#[repr(transparent)]
pub struct Matrix<const R: usize, const C: usize, T = f32>(pub(crate) [[T; R]; C]);

/// A column of R entries.
///
/// ```
/// let b: bptt::Vector<3> = bptt::Vector::from_columns([[1.0, 2.0, 3.0]]);
/// assert_eq!(b[(2, 0)], 3.0);
/// ```
pub type Vector<const R: usize, T = f32> = Matrix<R, 1, T>;

impl<const R: usize, const C: usize, T: Real> Matrix<R, C, T> {
    /// The number of rows, R.
    ///
    /// ```
    /// assert_eq!(bptt::Matrix::<3, 4>::ROWS, 3);
    /// ```
    pub const ROWS: usize = R;
    /// The number of columns, C.
    ///
    /// ```
    /// assert_eq!(bptt::Matrix::<3, 4>::COLUMNS, 4);
    /// ```
    pub const COLUMNS: usize = C;

    /// The matrix of zeros.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// let a: bptt::Matrix<4, 2, f64> = bptt::Matrix::zeros();
    /// assert_eq!(a[(3, 1)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }

    /// The matrix whose 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes these are, at compile time too;
    /// see [`Flat::to_le_bytes`](crate::Flat::to_le_bytes).
    ///
    /// Another number of bytes does not compile.
    ///
    /// ```
    /// const B: bptt::Vector<1> = bptt::Vector::from_le_bytes(&[0, 0, 0x80, 0x3f]);
    /// assert_eq!(B[(0, 0)], 1.0);
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }

    /// The matrix with these rows: as it is written on paper.
    ///
    /// ```
    /// use bptt::Matrix;
    ///
    /// const W: Matrix<2, 2> = Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(W[(0, 1)], 2.0);
    /// ```
    pub const fn from_rows(rows: [[T; C]; R]) -> Self {
        let mut w = Self::zeros();
        let mut c = 0;
        while c < C {
            let mut r = 0;
            while r < R {
                w.0[c][r] = rows[r][c];
                r += 1;
            }
            c += 1;
        }
        w
    }

    /// The matrix with these columns: as it is stored.
    ///
    /// ```
    /// use bptt::Matrix;
    ///
    /// const X: Matrix<2, 2> = Matrix::from_columns([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(X[(0, 1)], 3.0);
    /// ```
    pub const fn from_columns(columns: [[T; R]; C]) -> Self {
        const {
            assert!(
                R > 0 && C > 0,
                "a matrix has at least one row and one column"
            )
        };
        Matrix(columns)
    }

    /// Every entry becomes `value`.
    ///
    /// ```
    /// let mut b = bptt::Vector::<3>::zeros();
    /// b.fill(1.0);
    /// assert_eq!(b.columns(), &[[1.0; 3]]);
    /// ```
    pub fn fill(&mut self, value: T) {
        for column in &mut self.0 {
            column.fill(value);
        }
    }

    /// All columns, as they are stored.
    ///
    /// ```
    /// let x: bptt::Matrix<2, 2> = bptt::Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.columns(), &[[1.0, 3.0], [2.0, 4.0]]);
    /// ```
    pub const fn columns(&self) -> &[[T; R]; C] {
        &self.0
    }

    /// All columns, to be written.
    ///
    /// ```
    /// let mut x = bptt::Matrix::<2, 2>::zeros();
    /// x.columns_mut()[1] = [5.0, 6.0];
    /// assert_eq!(x[(0, 1)], 5.0);
    /// ```
    pub const fn columns_mut(&mut self) -> &mut [[T; R]; C] {
        &mut self.0
    }

    /// Column `c`, or `None` where `c >= C`.
    ///
    /// ```
    /// let x: bptt::Matrix<2, 2> = bptt::Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.column(1), Some(&[2.0, 4.0]));
    /// assert_eq!(x.column(2), None);
    /// ```
    pub fn column(&self, c: usize) -> Option<&[T; R]> {
        self.0.get(c)
    }

    /// Column `c`, to be written, or `None` where `c >= C`.
    ///
    /// ```
    /// let mut x = bptt::Matrix::<2, 2>::zeros();
    /// if let Some(column) = x.column_mut(0) {
    ///     *column = [1.0, 2.0];
    /// }
    /// assert_eq!(x[(1, 0)], 2.0);
    /// ```
    pub fn column_mut(&mut self, c: usize) -> Option<&mut [T; R]> {
        self.0.get_mut(c)
    }

    /// The entries of row `r` from left to right, or `None` where `r >= R`.
    ///
    /// ```
    /// let w: bptt::Matrix<2, 2> = bptt::Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert!(w.row(1).unwrap().eq(&[3.0, 4.0]));
    /// assert!(w.row(2).is_none());
    /// ```
    pub fn row(&self, r: usize) -> Option<impl ExactSizeIterator<Item = &T>> {
        (r < R).then(|| self.0.iter().map(move |column| &column[r]))
    }

    /// The entry in row `r` and column `c`, or `None` where there is none.
    ///
    /// ```
    /// let w: bptt::Matrix<2, 2> = bptt::Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(w.get(1, 0), Some(&3.0));
    /// assert_eq!(w.get(0, 2), None);
    /// ```
    pub fn get(&self, r: usize, c: usize) -> Option<&T> {
        self.0.get(c)?.get(r)
    }

    /// The entry in row `r` and column `c`, to be written, or `None` where there is none.
    ///
    /// ```
    /// let mut w = bptt::Matrix::<2, 2>::zeros();
    /// *w.get_mut(1, 0).unwrap() = 3.0;
    /// assert_eq!(w[(1, 0)], 3.0);
    /// ```
    pub fn get_mut(&mut self, r: usize, c: usize) -> Option<&mut T> {
        self.0.get_mut(c)?.get_mut(r)
    }
}

/// `w[(r, c)]`: the entry in row `r` and column `c`.
///
/// # Panics
/// Where `r >= R` or `c >= C`, as all indexing does; [`Matrix::get`] does not panic, and no
/// kernel of this crate indexes a matrix this way.
impl<const R: usize, const C: usize, T> Index<(usize, usize)> for Matrix<R, C, T> {
    type Output = T;

    fn index(&self, (r, c): (usize, usize)) -> &T {
        &self.0[c][r]
    }
}

impl<const R: usize, const C: usize, T> IndexMut<(usize, usize)> for Matrix<R, C, T> {
    fn index_mut(&mut self, (r, c): (usize, usize)) -> &mut T {
        &mut self.0[c][r]
    }
}
