"""Sparse matrices in which no place is stored twice."""

from scipy import sparse


def canonical(X):
    """Return X with repeated entries of a sparse matrix added up.

    SciPy lets a place be stored several times and means the sum, as `toarray` does.
    Code that reads the stored values one by one would see other data.

    Parameters
    ----------
    X : object
        Anything; only sparse matrices and arrays are looked at.

    Returns
    -------
    X : object
        Itself, or a copy with one entry a place, in order: the matrix of the caller
        is left as it is.
    """
    if not sparse.issparse(X) or getattr(X, "has_canonical_format", True):
        return X
    X = X.copy()
    X.sum_duplicates()
    return X
