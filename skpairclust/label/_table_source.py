"""A table in a file: numbers, categories, dates, missing values, or a text."""

from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from skpairclust.label._errors import LabelError
from skpairclust.label._extras import import_extra
from skpairclust.label._sources import Source, as_rows, digest_table
from skpairclust.label._table_pipeline import (
    make_pipeline_of,
    sort_columns,
    write_table_pipeline,
    write_text_pipeline,
)

_SEPARATORS = {".tsv": "\t", ".tab": "\t"}
TABLES = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq")
# Columns that the page shows at most.
_MOST_SHOWN = 100


class TableSource(Source):
    """Rows of a CSV or Parquet file.

    Parameters
    ----------
    path : path-like
    ids : str or None
        Column of names, None for positions.
    text : str or None
        Column of texts that are compared; None compares rows.
    encoding : str
        Of a CSV file.
    pipeline : path-like or None
        File with code that sets `pipeline`, a transformer of such tables. None is a
        default one.

    Raises
    ------
    LabelError
        If the file cannot be used.
    """

    def __init__(self, path, ids=None, text=None, encoding="utf-8", pipeline=None):
        self.path, self.text, self.encoding = Path(path), text, encoding
        self.ids_column = ids
        table = read_table(self.path, ids, encoding)
        check_columns(table, {"--ids": ids, "--text": text}, path)
        names = range(len(table)) if ids is None else table[ids].tolist()
        self.table = table.drop(columns=[] if ids is None else [ids])
        content = digest_table(self.table)
        super().__init__(self.path.name, names, content)
        self._make_pipeline(pipeline)

    def _make_pipeline(self, path):
        """Set the code of the features and the transformer that it makes."""
        if path is not None:
            try:
                self.pipeline = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not in UTF-8"
                raise LabelError(
                    f"--pipeline {path} cannot be read ({reason}). Give a file of "
                    "Python code that sets `pipeline`."
                ) from error
        elif self.text is not None:
            self.table[self.text] = self.table[self.text].fillna("").astype(str)
            self.pipeline = write_text_pipeline(self.text, len(self))
        else:
            self.pipeline = self._write_default()
        where = "the pipeline" if path is None else str(path)
        self.transformer = make_pipeline_of(self.pipeline, where)

    def _write_default(self):
        """Return code for the columns, and note which are left out."""
        columns = sort_columns(self.table)
        if columns.left_out:
            self.notes.append(
                f"Left out of the features: {', '.join(map(str, columns.left_out))} "
                "(texts with many values, or one value in all rows). The page shows "
                "them. For texts use --text COLUMN, for anything else --pipeline."
            )
        if len(columns.left_out) == self.table.shape[1]:
            raise LabelError(
                f"{self.path} has no column of numbers, categories or dates to compare "
                f"rows by; it has {', '.join(map(str, self.table.columns))}. For texts "
                "use --text COLUMN, or give --embeddings."
            )
        return write_table_pipeline(columns)

    def _features(self, rows, report):
        """Return what the pipeline makes of some rows."""
        table = self.table.iloc[rows]
        try:
            if self.made is None:
                found = self.transformer.fit_transform(table)
                self.made = self.transformer
            else:
                found = self.made.transform(table)
        except (ValueError, TypeError, KeyError) as error:
            raise LabelError(
                f"The pipeline cannot use {self.path.name}: {str(error)[:300]} Change "
                "the printed code, save it to a file, and pass it as --pipeline."
            ) from error
        if hasattr(found, "toarray"):
            found = found.toarray()
        report(len(rows), len(rows))
        return np.asarray(found, dtype=np.float32), rows

    def show(self, row):
        """Return what the page shows of a sample."""
        values = self.table.iloc[row].to_dict()
        if self.text is not None:
            text = str(values.pop(self.text))
            return {"kind": "text", "text": text, "rows": as_rows(values)}
        return {"kind": "table", "rows": as_rows(values)[:_MOST_SHOWN]}

    def model(self, clusterer):
        """Return a model that takes a table with these columns."""
        if self.embeddings is not None or self.made is None:
            return clusterer
        return make_pipeline(self.made, clusterer)


def read_table(path, ids, encoding):
    """Return the pandas DataFrame in a file, or raise a sentence.

    Ids of CSV files stay texts, so that "007" does not become 7.
    """
    pandas = import_extra("pandas")
    suffix = path.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            return pandas.read_parquet(path)
        return pandas.read_csv(
            path,
            sep=_SEPARATORS.get(suffix, ","),
            encoding=encoding,
            dtype=None if ids is None else {ids: str},
        )
    except (UnicodeDecodeError, LookupError) as error:
        raise LabelError(
            f"{path} is not in the encoding {encoding} ({error}). Save it as UTF-8, or "
            "name its encoding: --encoding cp1252 is that of many spreadsheets."
        ) from error
    except ImportError as error:
        raise LabelError(
            f"{path} needs a reader of Parquet files: `pip install pyarrow`."
        ) from error
    except (
        pandas.errors.ParserError,
        pandas.errors.EmptyDataError,
        ValueError,
    ) as error:
        raise LabelError(
            f"{path} cannot be read as a table: {str(error).strip()[:200]}. It must "
            "have a line of column names and as many values in each line."
        ) from error


def check_columns(table, named, path):
    """Raise if an option names a column that is not there, or names repeat."""
    known = [str(name) for name in table.columns]
    for option, name in named.items():
        if name is not None and name not in known:
            raise LabelError(
                f"{option} {name}: {path} has no such column; it has "
                f"{', '.join(known[:30])}."
            )
