"""Labels of every form in scores: missing classes are left out, clusters refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from skpairclust import PairwiseConstraints
from skpairclust.metrics import (
    clustering_accuracy_score,
    constraint_accuracy_score,
    count_respected,
    make_label_scorer,
    pairwise_f1_score,
    purity_score,
    recall_at_k,
)
from skpairclust.utils._param_validation import check_classes

SCORES = [clustering_accuracy_score, pairwise_f1_score, purity_score]
CLASSES = ["a", "b", "a", "b", "c", "c", "a"]
CLUSTERS = [4, 5, 4, 4, 6, 6, -1]
MISSING = {"None": None, "NaN": np.nan, "NA": pd.NA, "NaT": pd.NaT}
FORMS = {
    "list": list,
    "array": lambda labels: np.array(labels, dtype=object),
    "Series": lambda labels: pd.Series(labels, index=range(len(labels), 0, -1)),
    "DataFrame": lambda labels: pd.DataFrame({"label": labels}),
    "categories": lambda labels: pd.Series(labels, dtype="category"),
}


@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
@pytest.mark.parametrize("score", SCORES)
def test_missing_classes_are_left_out(score, missing, make):
    true = [missing, *CLASSES[:3], missing, *CLASSES[3:], missing]
    pred = [4, *CLUSTERS[:3], 7, *CLUSTERS[3:], 4]
    expected = score(CLASSES, CLUSTERS)
    assert score(make(true), make(pred)) == expected
    codes = [0, 1, 0, 1, 2, 2, 0]
    assert score(make([missing, *codes]), make([9, *CLUSTERS])) == expected
    assert score([np.nan, *map(float, codes)], [9, *CLUSTERS]) == expected
    assert score(pl.Series([None, *codes]), pl.Series([9, *CLUSTERS])) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, "x", "y", "z"]), st.integers(-1, 3)),
        min_size=1,
    )
)
def test_as_without_the_missing_ones(samples):
    known = [(true, pred) for true, pred in samples if true is not None]
    for score in SCORES:
        if known:
            assert score(*zip(*samples, strict=True)) == score(
                *zip(*known, strict=True)
            )
        else:
            with pytest.raises(ValueError, match="holds missing labels alone"):
                score(*zip(*samples, strict=True))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
def test_missing_clusters_are_refused(score, missing):
    with pytest.raises(ValueError, match="labels_pred must hold .* samples 1. Score"):
        score([0, 1, 1], [0, missing, 1])
    pairs = PairwiseConstraints([(0, 1)], n_samples=3)
    for of_pairs in (constraint_accuracy_score, count_respected):
        with pytest.raises(ValueError, match="labels_pred must hold a cluster"):
            of_pairs(pairs, [0, missing, 1])


def test_minus_one_is_a_class():
    assert purity_score([-1, -1, 1], [0, 1, 1]) == pytest.approx(2 / 3)
    assert recall_at_k([[0.0], [1.0], [9.0]], [-1, -1, 1]) == 1


def test_a_matching_of_other_samples():
    fitted_on = (["a", None, "b"], [1, 0, 0])
    score = clustering_accuracy_score(
        ["a", "b", None, "c"], [1, 0, 0, 2], fitted_on=fitted_on
    )
    assert score == pytest.approx(2 / 3)
    with pytest.raises(TypeError, match="none of them can match"):
        clustering_accuracy_score([0, 1], [0, 1], fitted_on=(["a", "b"], [0, 1]))
    with pytest.raises(ValueError, match="fitted_on must be a tuple"):
        clustering_accuracy_score([0, 1], [0, 1], fitted_on=[0, 1, 1])
    with pytest.raises(ValueError, match="missing labels alone in fitted_on"):
        clustering_accuracy_score([0], [0], fitted_on=([None], [0]))


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
def test_recall_leaves_out_what_has_no_class(missing):
    X = np.array([[0.0], [0.1], [1.0], [3.0], [5.0]])
    labels = [0, missing, 0, 1, 0]
    kept = [0, 2, 3, 4]
    expected = recall_at_k(X[kept], np.array([0, 0, 1, 0]), k=[1, 2])
    assert recall_at_k(X, labels, k=[1, 2]).tolist() == expected.tolist()
    names = pd.Series(["a", missing, "a", "b", "a"], index=range(5, 0, -1))
    assert recall_at_k(pd.DataFrame(X), names, k=[1, 2]).tolist() == expected.tolist()
    found = recall_at_k(X[:1], ["a"], X_gallery=X, gallery_labels=names)
    assert found == 1
    with pytest.raises(ValueError, match="gallery_labels holds missing labels alone"):
        recall_at_k(X[:1], [0], X_gallery=X[:1], gallery_labels=[missing])


def test_scorers_leave_out_what_has_no_class():
    class Fixed(BaseEstimator):
        def predict(self, X):
            return np.array([0, 0, 1, 1])

        def fit(self, X, y=None):
            return self

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_label_scorer("adjusted_rand_score")
        for labels in (["a", "a", "b", None], [0, 0, 1, np.nan], [0, 0, 1, pd.NA]):
            assert scorer(Fixed(), None, None, labels_true=labels) == 1


@pytest.mark.parametrize(
    "y",
    [
        ["b", "a", None, "b"],
        [7.0, 3.0, np.nan, 7.0],
        np.array([7, 3, -1, 7], dtype=np.int16),
        pd.Series([7, 3, None, 7], dtype="Int64"),
        np.array(["b", "a", -1, "b"], dtype=object),
    ],
)
def test_classes_of_the_classification_loss(y):
    assert check_classes(y, 2).tolist() == [1, 0, -1, 1]
    with pytest.raises(ValueError, match="n_clusters=1 is less than the 2 classes"):
        check_classes(y, 1)
