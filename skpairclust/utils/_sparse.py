"""Sparse matrices in the form that all code here relies on."""

from scipy import sparse


def canonical(X):
    """Return a sparse matrix whose repeated entries are added up; others as they are.

    SciPy takes entries that stand twice for their sum, but products of rows, norms and
    distances of single entries do not. The matrix of the caller stays as it is.
    """
    if not sparse.issparse(X) or X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X
