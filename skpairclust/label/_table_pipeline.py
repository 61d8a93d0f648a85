"""The default way from the columns of a table to features, written as code."""

from typing import NamedTuple

from skpairclust.label._errors import LabelError

# A column of texts with more different values is no category.
_MOST_CATEGORIES = 50
# A column is one of dates if so many of its values can be read as such.
_DATES = 0.95


class Columns(NamedTuple):
    """Which columns are what; each a list of names."""

    numbers: list
    categories: list
    dates: list
    left_out: list


def sort_columns(table):
    """Return the `Columns` of a pandas DataFrame."""
    import pandas as pd

    found = Columns([], [], [], [])
    for name in table.columns:
        values = table[name].dropna()
        if pd.api.types.is_datetime64_any_dtype(table[name]):
            found.dates.append(name)
        elif values.nunique() < 2:
            # equal in all rows
            found.left_out.append(name)
        elif pd.api.types.is_numeric_dtype(table[name]):
            found.numbers.append(name)
        elif _are_dates(values):
            found.dates.append(name)
        elif values.astype(str).nunique() <= _MOST_CATEGORIES:
            found.categories.append(name)
        else:
            found.left_out.append(name)
    return found


def _are_dates(values):
    """Whether nearly all texts are dates in the international form."""
    import pandas as pd

    texts = values.astype(str)
    if not texts.str.match(r"\d{4}-\d\d").mean() >= _DATES:
        return False
    return pd.to_datetime(texts, errors="coerce", utc=True).notna().mean() >= _DATES


def write_table_pipeline(columns):
    """Return code that sets `pipeline`, for columns of numbers, categories, dates.

    Parameters
    ----------
    columns : Columns
    """
    steps, imports = [], ["from sklearn.compose import make_column_transformer"]
    if columns.numbers or columns.dates:
        imports.append("from sklearn.impute import SimpleImputer")
    imports.append("from sklearn.pipeline import make_pipeline")
    names = []
    if columns.dates or columns.categories:
        names.append("FunctionTransformer")
    if columns.categories:
        names.append("OneHotEncoder")
    if columns.numbers or columns.dates:
        names.append("StandardScaler")
    imports.append(f"from sklearn.preprocessing import {', '.join(names)}")
    helpers = []
    scale = "SimpleImputer(add_indicator=True), StandardScaler()"
    if columns.numbers:
        steps.append(f"    (make_pipeline({scale}), {columns.numbers!r}),")
    if columns.categories:
        helpers.append("as_texts")
        encode = 'OneHotEncoder(handle_unknown="ignore", sparse_output=False)'
        steps += [
            f"    (make_pipeline(FunctionTransformer(as_texts), {encode}),",
            f"     {columns.categories!r}),",
        ]
    if columns.dates:
        helpers.append("as_days")
        steps += [
            f"    (make_pipeline(FunctionTransformer(as_days), {scale}),",
            f"     {columns.dates!r}),",
        ]
    if helpers:
        imports.append(f"from skpairclust.label import {', '.join(sorted(helpers))}")
    return "\n".join([*imports, "", "pipeline = make_column_transformer(", *steps, ")"])


def write_text_pipeline(column, n_samples):
    """Return code that sets `pipeline`, for a column of texts."""
    n_components = min(100, max(2, n_samples // 10))
    return f"""\
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

pipeline = make_column_transformer(
    (
        make_pipeline(
            TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), max_features=50_000),
            TruncatedSVD({n_components}, random_state=0),
            Normalizer(),
        ),
        {column!r},
    )
)"""


def make_pipeline_of(code, where):
    """Run code and return the transformer that it names `pipeline`.

    Parameters
    ----------
    code : str
        What was written here, or by the user.
    where : str
        The file, for messages.

    Raises
    ------
    LabelError
        If it fails, or there is no `pipeline`.
    """
    names = {"__name__": "skpairclust_label_pipeline"}
    try:
        exec(compile(code, where, "exec"), names)
    except Exception as error:
        raise LabelError(
            f"{where} fails: {type(error).__name__}: {str(error)[:200]}. It must set "
            "`pipeline` to a transformer of scikit-learn."
        ) from error
    if not hasattr(names.get("pipeline"), "fit_transform"):
        raise LabelError(
            f"{where} must set `pipeline` to a transformer of scikit-learn, with "
            "`fit_transform`. The default one is printed without --pipeline."
        )
    return names["pipeline"]
