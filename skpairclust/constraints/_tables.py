"""Columns of tables of any library: pandas, polars, pyarrow, or a plain dict."""

from collections.abc import Mapping

import numpy as np

from skpairclust.constraints._names import list_values, read_ids, show


def take_columns(table, **names):
    """Return columns of equal length, by the arguments that name them.

    Those of ids, `left` and `right`, as `read_ids` gives them, and others as lists.

    Parameters
    ----------
    table : DataFrame or dict of array-likes
    **names : str
        The column that each argument asks for.

    Raises
    ------
    TypeError
        If `table` has no columns.
    ValueError
        If a column is not there, or lengths differ.
    """
    known = column_names(table)
    columns = {}
    for argument, name in names.items():
        if name not in known:
            raise ValueError(
                f"pairs has no column {name!r}, which {argument} names; it has "
                f"{show(known, 20)}."
            )
        read = read_ids if argument in ("left", "right") else list_values
        columns[argument] = read(table[name], f"the column {name!r}")
    sizes = {names[argument]: len(column) for argument, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"the columns of pairs differ in length: {sizes}.")
    return columns


def column_names(table):
    """Return the names of the columns, or raise if it is no table."""
    if hasattr(table, "collect"):
        raise TypeError("pairs is a query, not a table yet: pass `pairs.collect()`.")
    if isinstance(table, Mapping):
        return list(table)
    for attribute in ("column_names", "columns"):
        if hasattr(table, attribute):
            return list(getattr(table, attribute))
    if isinstance(table, np.ndarray) and table.dtype.names:
        return list(table.dtype.names)
    raise TypeError(
        "pairs must be a table with named columns (of pandas, polars or pyarrow, or a "
        f"dict of lists); got {type(table).__name__}. Arrays of ids go to "
        "`PairwiseConstraints.from_ids`."
    )


def split_columns(pairs, name):
    """Return the two columns of an array-like of pairs, as `read_ids` gives them."""
    if pairs is None:
        return [], []
    if hasattr(pairs, "to_numpy"):
        pairs = pairs.to_numpy()
    if isinstance(pairs, np.ndarray):
        if pairs.size == 0:
            return [], []
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise ValueError(f"{name} must have shape (m, 2); got {pairs.shape}.")
        return tuple(read_ids(column, name) for column in pairs.T)
    pairs = list_values(pairs, name)
    # a string of two characters has two entries as well, but is no pair
    is_pair = (isinstance(p, (tuple, list, np.ndarray)) and len(p) == 2 for p in pairs)
    odd = [pair for pair, fits in zip(pairs, is_pair, strict=True) if not fits]
    if odd:
        raise ValueError(f"{name} must hold pairs of two ids; got {show(odd, 3)}.")
    return [p[0] for p in pairs], [p[1] for p in pairs]


def make_frame(columns, constructor):
    """Build a table from a dict of columns, with pandas unless told otherwise."""
    if constructor is not None:
        return constructor(columns)
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise ImportError(
            "to_frame() makes a table of pandas, which is not installed: `pip install "
            "pandas`, or name another kind, as in `to_frame(constructor="
            "polars.DataFrame)` or `to_frame(constructor=dict)`."
        ) from error
    return DataFrame(columns)
