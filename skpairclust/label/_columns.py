"""Columns of a table in a form that transformers take."""

import numpy as np


def as_texts(table):
    """Return values as text, missing ones as "missing".

    Parameters
    ----------
    table : pandas.DataFrame
        Columns of categories.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), object
        For an encoder.

    Examples
    --------
    >>> import pandas as pd
    >>> from skpairclust.label import as_texts
    >>> as_texts(pd.DataFrame({"plan": ["basic", None]})).tolist()
    [['basic'], ['missing']]
    """
    return table.astype(object).where(table.notna(), "missing").astype(str).to_numpy()


def as_days(table):
    """Return dates as days since 1970, missing ones as NaN.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns of dates, or of texts such as "2024-05-01".

    Returns
    -------
    ndarray of shape (n_rows, n_columns), float64
        Days.

    Examples
    --------
    >>> import pandas as pd
    >>> from skpairclust.label import as_days
    >>> as_days(pd.DataFrame({"day": ["1970-01-03", None]})).tolist()
    [[2.0], [nan]]
    """
    import pandas as pd

    days = []
    for name in table.columns:
        dates = pd.to_datetime(table[name], errors="coerce", utc=True)
        days.append((dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1))
    return np.column_stack([np.asarray(d, dtype=np.float64) for d in days])
