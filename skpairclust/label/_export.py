"""What a person takes home: pairs, clusters, the model, and a script to repeat it."""

import csv
import io
from pathlib import Path

import joblib
import numpy as np

from skpairclust.label._errors import LabelError
from skpairclust.utils._files import whole_file

PAIRS, CLUSTERS, MODEL = "pairs.csv", "clusters.csv", "model.joblib"
FEATURES, SCRIPT = "features.joblib", "refit.py"
FILES = (PAIRS, CLUSTERS, MODEL, FEATURES, SCRIPT)
# Samples outside of the fit whose features are computed together.
_BLOCK = 5000

_SCRIPT = '''\
"""Repeat the fit of {name}: {n_answers} answers, {n_clusters} clusters.

It reads files beside it. `pairs.csv` holds what was answered, without contradictions;
change it and run this again. `model.joblib` takes what the page took:

    model = joblib.load("model.joblib")
    model.predict(...)

Load such files only if you trust where they come from.
"""

from pathlib import Path

import joblib
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from skpairclust import PairwiseConstraints

here = Path(__file__).parent
clusters = pd.read_csv(here / "clusters.csv", dtype={{"id": str}}, na_filter=False)
fitted = clusters[clusters["fitted"] == 1]
pairs = PairwiseConstraints.from_frame(
    pd.read_csv(here / "pairs.csv", dtype=str, na_filter=False), index=fitted["id"]
)
X = joblib.load(here / "features.joblib")

model = joblib.load(here / "model.joblib")
{take}
clusterer = clone(clusterer).fit(X, pairs | pairs.closure())
agreement = adjusted_rand_score(fitted["cluster"], {labels})
print(f"Agreement with clusters.csv (adjusted Rand index): {{agreement:.3f}}")
'''


def write_export(folder, source, learner, view, engine, rows, report):
    """Write all files, and return their names.

    Parameters
    ----------
    folder : Path
    source : Source
    learner : ActivePairLearner
        Fitted.
    view : ClusterView
    engine : Engine
        With the features and ids of the fit.
    rows : ndarray of shape (n_fitted,), int64
        The samples of the fit.
    report : callable
        As in `Source.features`.

    Returns
    -------
    list of str

    Raises
    ------
    LabelError
        If the folder cannot be written.
    """
    folder = Path(folder)
    model = source.model(learner.estimator_)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_csv(folder / PAIRS, ("left", "right", "same"), _pairs(learner, engine))
        header = ("id", "cluster", "sure", "fitted")
        _write_csv(
            folder / CLUSTERS, header, _clusters(source, learner, view, rows, report)
        )
        _dump(folder / MODEL, model)
        _dump(folder / FEATURES, engine.X)
        with whole_file(folder / SCRIPT) as file:
            file.write(_write_script(source, learner, model).encode())
    except OSError as error:
        raise LabelError(
            f"The export to {folder} failed: {error.strerror}. Make room or give "
            "another folder with --export-to; the answers are safe."
        ) from error
    return list(FILES)


def _pairs(learner, engine):
    """Yield the answers that are kept, by ids."""
    constraints = learner.constraints_
    for pairs, same in (
        (constraints.must_link, "same"),
        (constraints.cannot_link, "different"),
    ):
        for i, j in pairs.tolist():
            yield engine.ids[i], engine.ids[j], same


def _clusters(source, learner, view, rows, report):
    """Yield the cluster of each sample, and how sure it is, where that is known."""
    sure = view.probabilities
    known = {}
    for place, row in enumerate(rows.tolist()):
        known[row] = (view.labels[place], None if sure is None else sure[place], 1)
    rest = np.setdiff1d(np.arange(len(source)), rows)
    # those of clusterers that cannot predict stay without a cluster
    if hasattr(learner.estimator_, "predict"):
        for start in range(0, len(rest), _BLOCK):
            block = rest[start : start + _BLOCK]
            known |= _predicted(source, learner.estimator_, block, report)
    for row, name in enumerate(source.ids):
        if row in known:
            cluster, probability, is_fitted = known[row]
            text = "" if probability is None else f"{probability:.4f}"
            yield name, cluster, text, is_fitted


def _predicted(source, estimator, rows, report):
    """Return clusters of samples that were not fitted."""
    X, kept = source.features(rows, report)
    if not len(kept):
        return {}
    labels, sure = estimator.predict(X), [None] * len(kept)
    if hasattr(estimator, "predict_proba"):
        sure = np.asarray(estimator.predict_proba(X)).max(axis=1)
    return {
        row: (label, probability, 0)
        for row, label, probability in zip(kept.tolist(), labels, sure, strict=True)
    }


def _write_script(source, learner, model):
    """Return the script that repeats the fit."""
    is_whole = model is learner.estimator_
    has_labels = hasattr(learner.estimator_, "labels_")
    return _SCRIPT.format(
        name=source.name.replace("\\", "/").replace('"', "'"),
        n_answers=len(learner.history_),
        n_clusters=len(np.unique(learner.labels_)),
        take="clusterer = model" if is_whole else "clusterer = model[-1]",
        labels="clusterer.labels_" if has_labels else "clusterer.predict(X)",
    )


def _write_csv(path, header, lines):
    """Write a table, whole or not at all."""
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(lines)
        # The file stays open until it has its name.
        text.detach()


def _dump(path, value):
    """Write an object for joblib, whole or not at all."""
    with whole_file(path) as file:
        joblib.dump(value, file)
