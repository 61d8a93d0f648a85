"""Rows of X, in whichever form it comes."""

import numpy as np


def take_rows(X, rows):
    """Return some rows of an array, CSR matrix, data frame or list."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return X[rows] if hasattr(X, "shape") else np.asarray(X)[rows]
