"""Labels that name the class, carried beside the pairs."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold, train_test_split

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints

PAIRS = PairwiseConstraints([(2, 3)], [(3, 5)], n_samples=6)
NAMES = ["dog", "cat", None, None, "dog", None]
BOTH = PAIRS.with_labels(NAMES)


def test_labels_add_their_pairs():
    united = PAIRS | PAIRS.from_labels(NAMES)
    assert (BOTH.to_matrix() != united.to_matrix()).nnz == 0
    assert united != BOTH
    assert BOTH.must_link.tolist() == [[0, 4], [2, 3]]
    assert BOTH.cannot_link.tolist() == [[0, 1], [1, 4], [3, 5]]
    assert BOTH.labels.tolist() == NAMES
    assert PAIRS.labels is None and BOTH.subset([True] * 5).labels is None


def test_a_part_keeps_the_numbers_of_classes():
    part = BOTH[[5, 4, 0]]
    assert part.labels.tolist() == [None, "dog", "dog"]
    assert part._classes.tolist() == [-1, 1, 1]
    assert BOTH[[2, 3]].labels.tolist() == [None, None]
    assert BOTH.closure().labels.tolist() == NAMES


@pytest.mark.parametrize(
    "y", [[3, 1, -1, -1, 3, -1], np.array([3, 1, np.nan, -1, 3, np.nan])]
)
def test_numbers_as_labels(y):
    assert PAIRS.with_labels(y).labels.tolist() == [3, 1, None, None, 3, None]


def test_unions():
    other = PairwiseConstraints([(0, 2)], [], n_samples=6)
    for united in (BOTH | other, other | BOTH):
        assert united.labels.tolist() == NAMES
    more = other.with_labels(["dog", "cat", "cat", None, None, None])
    assert (BOTH | more).labels.tolist() == ["dog", "cat", "cat", None, "dog", None]
    with pytest.raises(ValueError, match="the labels of samples 0 differ"):
        BOTH | other.with_labels(["cat", "cat", None, None, "dog", None])
    with pytest.raises(ValueError, match="of other classes: 'cat', 'dog' here and 'a'"):
        BOTH | other.with_labels(["a", None, None, None, None, None])


def test_copies_and_hashes():
    again = pickle.loads(pickle.dumps(BOTH))
    assert again == BOTH and again.labels.tolist() == NAMES
    assert joblib.hash(again) == joblib.hash(BOTH)
    others = PAIRS.with_labels(["cat", "dog", None, None, "cat", None])
    assert others != BOTH and joblib.hash(others) != joblib.hash(BOTH)
    with pytest.raises(ValueError, match="read-only"):
        again._classes[0] = 1


@pytest.mark.parametrize(
    ("constraints", "y", "message"),
    [
        (BOTH, NAMES, "have labels already"),
        (PAIRS, NAMES[:3], "y has 3 labels, but there are 6 samples"),
        (PAIRS, [0.5] * 6, "y must hold whole numbers or names"),
    ],
)
def test_wrong_labels(constraints, y, message):
    with pytest.raises(ValueError, match=message):
        constraints.with_labels(y)


@pytest.fixture(scope="module")
def data():
    """Return samples, pairs of them, names of some and the places of all classes."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], 40)
    X = (rng.randn(120, 4) + 4 * np.eye(4)[y]).astype(np.float32)
    names = np.array(["c", "a", "b"], dtype=object)[y]
    names[rng.rand(120) > 0.4] = None
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    return X, pairs, names, np.array([2, 0, 1])[y]


class TestInSearches:
    @pytest.fixture
    def model(self):
        return ConstrainedNeuralClusterer(
            3, hidden_layer_sizes=(16,), max_iter=15, unlabeled=None, random_state=0
        )

    def test_clusters_are_named_after_the_sorted_labels(self, data, model):
        X, pairs, names, place = data
        known = pairs.with_labels(names)
        for pair_weight in (1.0, 0.0):
            model.set_params(classification_weight=1.0, pair_weight=pair_weight)
            assert np.mean(model.fit(X, known).labels_ == place) > 0.95

    def test_as_labels_and_pairs_given_apart(self, data, model):
        X, pairs, names, _ = data
        model.set_params(classification_weight=1.0)
        together = model.fit(X, pairs.with_labels(names)).loss_curve_
        must, cannot = pairs.must_link, pairs.cannot_link
        apart = model.fit(X, names, must_link=must, cannot_link=cannot)
        assert apart.loss_curve_ == together

    def test_a_fold_without_a_class_keeps_the_others_apart(self, data, model):
        X, pairs, names, place = data
        known = pairs.with_labels(names)
        model.set_params(classification_weight=1.0)
        # Without the first of the sorted classes.
        rows = np.flatnonzero(place != 0)
        labels = model.fit(X[rows], known[rows]).labels_
        assert np.mean(labels == place[rows]) > 0.95

    def test_grid_search(self, data, model):
        X, pairs, names, place = data
        known = pairs.with_labels(names)
        search = GridSearchCV(
            model,
            {"classification_weight": [0.0, 1.0], "pair_weight": [0.0, 1.0]},
            cv=KFold(3, shuffle=True, random_state=0),
            error_score="raise",
        ).fit(X, known)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        X_train, _, y_train, _, at_train, _ = train_test_split(
            X, known, place, random_state=0
        )
        labels = model.set_params(classification_weight=1.0).fit(X_train, y_train)
        assert np.mean(labels.labels_ == at_train) > 0.95

    def test_pairs_alone_name_no_class(self, data, model):
        X, pairs, _, _ = data
        model.set_params(classification_weight=1.0)
        with pytest.raises(ValueError, match=r"constraints.with_labels\(labels\)"):
            model.fit(X, pairs)
