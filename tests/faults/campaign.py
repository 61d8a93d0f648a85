"""Fit anything with anything: `python -m tests.faults.campaign 2000 --seed 0`.

Estimators with random parameters get random data and supervision, of which some are
wrong. A fit may succeed, with numbers that are finite, or end in a ValueError or a
TypeError that names what is wrong. In any case, what it was given stays as it was.
"""

import argparse
import pickle
import re
import sys
import traceback
import warnings
from collections import Counter
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.cluster import AffinityPropagationK

# How often a part of a case is spoiled.
_SPOILED = 0.15

# Values that some parameter does not take.
_ODD = [
    *(
        -1,
        0,
        1,
        3,
        1.5,
        -0.5,
        10**12,
        10**30,
        float("nan"),
        float("inf"),
        -float("inf"),
    ),
    *(None, True, False, "auto", "", "nonsense", b"bytes", (), [], [0], (3, -1), {}),
    *(np.float32(0.5), np.int8(2), np.array([1.0, np.nan]), 1j, object, len),
]

# What names itself in a message, beside the parameters.
_NAMES = {"X", "y", "must_link", "cannot_link", "constraints", "PairwiseConstraints"}
_NAMES |= {"must_link_weight", "cannot_link_weight", "labels", "pairs", "n_samples"}
# In scikit-learn's and NumPy's words.
_NAMES |= {"array", "features", "samples", "sample", "dtype", "sparse", "input", "data"}
_NAMES |= {"string"}


def _one_of(*values):
    """Return a function that draws one of some values."""
    return lambda rng: values[rng.integers(len(values))]


_TRAINING = {
    "max_iter": _one_of(1, 2),
    "optimizer": _one_of("adam", "sgd"),
    "learning_rate": _one_of(1e-3, 1.0, 1e6),
    "weight_decay": _one_of(0.0, 0.1),
    "schedule": _one_of("cosine", "constant", "halving"),
    "batch_size": _one_of(4, 8, 64),
    "input_shape": _one_of(None, (1,), (1, 1), (4, 1)),
    "warm_start": _one_of(False, True),
}
_MEANS = {"n_clusters": _one_of(1, 2, 3), "max_iter": _one_of(1, 5)}

PARAMETERS = {
    ConstrainedNeuralClusterer: {
        **_TRAINING,
        "n_clusters": _one_of(None, 1, 2, 3, 5, "auto"),
        "hidden_layer_sizes": _one_of(4, (4, 3), (), "auto"),
        "loss": _one_of("mcl", "kcl"),
        "margin": _one_of(0.0, 2.0),
        "reduction": _one_of("mean", "sum"),
        "unlabeled": _one_of("imsat", "vat", None),
        "noise_rate": _one_of(0.0, 0.2, "estimate"),
        "n_init": _one_of(1, 2),
        "init": _one_of("auto", "random"),
        "walk_length": _one_of("auto", 0, 2),
        "n_neighbors": _one_of(1, 10),
        "pair_balance": _one_of(None, 0.5),
        "pair_weight": _one_of("auto", 0.0, 2.0),
        "classification_weight": _one_of(0.0, 1.0),
        "adversarial_radius": _one_of("auto", 0.0),
        "n_iter_no_change": _one_of(None, 1),
    },
    MetricEmbedder: {
        **_TRAINING,
        "n_components": _one_of(1, 3),
        "hidden_layer_sizes": _one_of(4, (4, 3), ()),
        "loss": _one_of("triplet", "contrastive", "lifted", "soft_triplet"),
        "margin": _one_of(None, 0.5),
        "mining": _one_of("auto", "all", "hardest", "semihard", "random", "pool"),
        "pool": _one_of("closest", "kmeans", "random", "semihard"),
        "sampling": _one_of("classes", "hard"),
        "samples_per_class": _one_of(2, 4),
        "normalize": _one_of(None, True, False),
        "n_clusters": _one_of(None, 2),
        "validation_fraction": _one_of(0.0, 0.0, 0.3),
        "augment": _one_of(None, None, None, "affine"),
    },
    PCKMeans: {**_MEANS, "w": _one_of(0.0, 1.0)},
    MPCKMeans: {**_MEANS, "w": _one_of(0.0, 1.0)},
    COPKMeans: _MEANS,
    AffinityPropagationK: {"n_clusters": _one_of(1, 2, 3)},
}
_SHARES = [0.4, 0.35, 0.07, 0.07, 0.07, 0.04]


class Case(NamedTuple):
    """What is fitted, and what it is given."""

    estimator: object
    X: object
    supervision: dict


def make_case(seed):
    """Return the case with this number."""
    rng = np.random.default_rng(seed)
    kinds = list(PARAMETERS)
    kind = kinds[rng.choice(len(kinds), p=_SHARES)]
    params = {}
    for name, draw in PARAMETERS[kind].items():
        if rng.random() < 0.3 or name in ("max_iter", "hidden_layer_sizes"):
            params[name] = draw(rng)
    if rng.random() < _SPOILED:
        # A fit of 10**12 epochs is right, and never ends.
        left_out = {"n_jobs", "verbose", "max_iter"}
        every = [name for name in kind().get_params() if name not in left_out]
        params[every[rng.integers(len(every))]] = _ODD[rng.integers(len(_ODD))]
    if "random_state" in kind().get_params() and rng.random() < 0.9:
        params["random_state"] = int(rng.integers(1000))
    n_samples = int(
        rng.choice([1, 2, 3, 6, 20, 40], p=[0.02, 0.04, 0.04, 0.1, 0.4, 0.4])
    )
    X = _make_X(rng, n_samples)
    takes_y = kind is not AffinityPropagationK
    supervision = _make_supervision(rng, n_samples) if takes_y else {}
    return Case(kind(**params), X, supervision)


def _make_X(rng, n_samples):
    """Return samples in some form, wrong ones now and then."""
    X = rng.normal(size=(n_samples, int(rng.choice([1, 4, 4, 9]))))
    if rng.random() < 0.2:
        X = X[rng.integers(n_samples, size=n_samples)]  # equal rows
    if rng.random() < 0.2:
        X = X * 10.0 ** rng.integers(-8, 9, size=X.shape[1]) + rng.choice([0, 1e6])
    if rng.random() < _SPOILED:
        X = _spoil_X(rng, X)
    return _in_some_form(rng, X)


def _spoil_X(rng, X):
    """Return what is no table of finite numbers, or has extreme ones."""
    row, column = rng.integers(X.shape[0]), rng.integers(X.shape[1])
    kind = rng.integers(10)
    if kind < 4:
        X[row, column] = [np.nan, np.inf, 1e39, 1e308][kind]
        return X
    return [
        X[:, :0],
        X[:0],
        X.ravel(),
        X.astype(complex),
        np.full(X.shape, "text"),
        X.reshape(1, *X.shape),
    ][kind - 4]


def _in_some_form(rng, X):
    """Return an array of numbers as something else that holds them."""
    numeric = X.dtype.kind == "f"
    forms = [
        lambda: X,
        lambda: np.asfortranarray(X),
        lambda: X.tolist(),
        lambda: X.astype(object),
        lambda: pd.DataFrame(X) if X.ndim == 2 else X,
        lambda: X.astype(np.float32) if numeric else X,
        lambda: X.astype(np.float16) if numeric else X,
        lambda: sparse.csr_matrix(X) if numeric and X.ndim == 2 else X,
        lambda: sparse.coo_array(X) if numeric and X.ndim == 2 else X,
        lambda: np.nan_to_num(np.clip(X, -9, 9)).astype(np.int8) if numeric else X,
        lambda: X > 0 if numeric else X,
        lambda: np.concatenate([X, X], axis=-1)[..., ::2],
    ]
    with np.errstate(all="ignore"):
        made = forms[rng.integers(len(forms))]()
    if isinstance(made, np.ndarray) and rng.random() < 0.3:
        made.flags.writeable = False
    return made


def _make_supervision(rng, n_samples):
    """Return the arguments of `fit` that say what is known."""
    labels = rng.integers(3, size=n_samples)
    n_pairs = int(rng.choice([0, 1, 5, 30]))
    pairs = rng.integers(n_samples, size=(n_pairs, 2))
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    apart = pairs[:, 0] != pairs[:, 1]
    must, cannot = pairs[same & apart], pairs[~same]
    if rng.random() < _SPOILED:
        must, cannot = _spoil_pairs(rng, must, cannot, n_samples)
    forms = [
        lambda: {"y": None},
        lambda: {"y": labels},
        lambda: {"y": np.where(rng.random(n_samples) < 0.5, labels, -1)},
        lambda: {"y": np.array(["a", "b", None], dtype=object)[labels]},
        lambda: {"must_link": must, "cannot_link": cannot},
        lambda: {"must_link": must.tolist()},
        lambda: {"y": _make_constraints(rng, must, cannot, n_samples)},
        lambda: {"y": PairwiseConstraints.from_labels(labels)},
        lambda: {"y": np.c_[cannot, np.full(len(cannot), -1)]},
        lambda: {"y": sparse.coo_array(_as_matrix(must, cannot, n_samples))},
        lambda: {"y": _as_matrix(must, cannot, n_samples)},
        lambda: {"y": labels[:-1]},
        lambda: {"y": labels + 0.5},
        lambda: {"y": rng.normal(size=(n_samples, 3))},
        lambda: {"y": "labels"},
        lambda: {"y": labels, "must_link": must.astype(float)},
    ]
    return forms[rng.integers(len(forms))]()


def _spoil_pairs(rng, must, cannot, n_samples):
    """Return pairs of which some cannot be."""
    wrong = [
        [(0, n_samples)],
        [(-1, 0)],
        [(0, 0)],
        [(0, 2**40)],
        cannot,
    ][rng.integers(5)]
    wrong = np.asarray(wrong, dtype=np.int64).reshape(-1, 2)
    return np.concatenate([must, wrong]), cannot


def _make_constraints(rng, must, cannot, n_samples):
    """Return constraints, with weights now and then; plain pairs if they are wrong."""
    options = {}
    if rng.random() < 0.5:
        scale = 10.0 ** rng.choice([0, -5, 5, 38, -300])
        options["must_link_weight"] = scale * rng.random(len(must)) + scale
    try:
        return PairwiseConstraints(must, cannot, n_samples=n_samples, **options)
    except ValueError:
        return must


def _as_matrix(must, cannot, n_samples):
    """Return pairs as a relation matrix, those that are inside of it."""
    relation = np.zeros((n_samples, n_samples))
    for pairs, sign in ((must, 1), (cannot, -1)):
        inside = pairs[((pairs >= 0) & (pairs < n_samples)).all(axis=1)]
        relation[inside[:, 0], inside[:, 1]] = sign
        relation[inside[:, 1], inside[:, 0]] = sign
    return relation


def try_case(case):
    """Return how a case ended, or raise AssertionError if that is a fault."""
    given = _freeze(case)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case.estimator.fit(case.X, **case.supervision)
            outcome = "fitted"
            _check_answers(case)
    except (ValueError, TypeError) as error:
        outcome = type(error).__name__
        names = _NAMES | set(case.estimator.get_params()) | {"network"}
        found = set(re.findall(r"\w+", str(error)))
        assert found & names, f"nothing is named: {error!r}"
    assert _freeze(case) == given, "what was given to fit has changed"
    return outcome


def _freeze(case):
    """Return the values that a case gives to fit, as bytes."""
    values = [case.X, *case.supervision.values()]
    return pickle.dumps([_entries(v) if sparse.issparse(v) else v for v in values])


def _entries(matrix):
    """Return the entries of a sparse matrix, without what it notes of their order."""
    entries = matrix.tocoo()
    return entries.shape, entries.data, entries.row, entries.col


def _check_answers(case):
    """Raise AssertionError if what was learned are no numbers."""
    estimator = case.estimator
    labels = getattr(estimator, "labels_", None)
    if labels is not None:
        assert labels.min() >= 0 and labels.dtype == np.int64, labels
    for method in ("transform", "predict", "predict_proba"):
        answer = getattr(estimator, method, None)
        if answer is not None:
            assert np.isfinite(answer(case.X)).all(), method


def describe(seed, case):
    """Return a line that says what was tried."""
    X = case.X
    shape = getattr(X, "shape", None) or f"list of {len(X)}"
    known = {k: type(v).__name__ for k, v in case.supervision.items()}
    what = f"{type(X).__name__} {getattr(X, 'dtype', '')} {shape}"
    return f"case {seed}: {case.estimator!r}, X {what}, {known}"


def run(n_cases, seed):
    """Try cases and return how many ended how; print those that are faults."""
    outcomes = Counter()
    for number in range(seed, seed + n_cases):
        case = make_case(number)
        try:
            outcomes[try_case(case)] += 1
        except Exception:
            outcomes["fault"] += 1
            print(describe(number, case), traceback.format_exc(), sep="\n")
    return outcomes


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("n_cases", type=int, nargs="?", default=2000)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    options = parser.parse_args()
    outcomes = run(options.n_cases, options.seed)
    print(dict(outcomes))
    sys.exit(1 if outcomes["fault"] else 0)


if __name__ == "__main__":
    main()
