"""Trainings end when clusters no longer change, and not before."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer import _settling
from skpairclust.clusterer._settling import Settling
from skpairclust.neural._rows import FeatureRows

N_EPOCHS = _settling._N_EPOCHS


class Table(torch.nn.Module):
    """Clusters by number: a sample is its place."""

    def __init__(self, labels):
        super().__init__()
        self.labels = torch.as_tensor(labels)

    def forward(self, x):
        assert not self.training
        return torch.eye(3)[self.labels[x[:, 0].long()]]


def watch(must_link=(), cannot_link=(), *, n=100, batch_size=16):
    X = np.arange(n, dtype=np.float32)[:, None]
    rows = FeatureRows(X, (1,), torch.device("cpu"))
    pairs = PairwiseConstraints(must_link, cannot_link, n_samples=n)
    return Settling(rows, pairs, n_clusters=3, batch_size=batch_size, seed=0)


def look(settling, labels, n_times=1):
    """Return what is said after each of some epochs without a change."""
    said = []
    for _ in range(n_times):
        said.append(settling(Table(labels)))
    return said


@pytest.fixture
def labels():
    return np.arange(100) % 3


def test_clusters_have_settled_after_some_epochs_without_a_change(labels):
    said = look(watch(), labels, N_EPOCHS + 1)
    # Nothing is known before the first.
    assert said == [False] * N_EPOCHS + [True]


@pytest.mark.parametrize("changed", [0, 50, 99])
def test_any_sample_that_changes_begins_the_count_anew(labels, changed):
    settling, other = watch(), labels.copy()
    other[changed] = (other[changed] + 1) % 3
    assert look(settling, labels, N_EPOCHS) == [False] * N_EPOCHS
    assert look(settling, other, N_EPOCHS) == [False] * N_EPOCHS
    assert look(settling, other) == [True]


def test_a_cluster_that_nobody_is_in_can_still_be_filled(labels):
    assert not any(look(watch(), np.minimum(labels, 1), 3 * N_EPOCHS))


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({"must_link": [(0, 3), (1, 97)], "cannot_link": [(98, 97)]}, True),
        ({"must_link": [(0, 3), (1, 98)]}, False),
        ({"cannot_link": [(0, 1), (1, 97)]}, False),
    ],
    ids=str,
)
def test_a_pair_that_is_violated_can_still_be_learned(labels, monkeypatch, pairs, said):
    # Its samples are watched in any case.
    monkeypatch.setattr(_settling, "_N_SAMPLES", 30)
    assert look(watch(**pairs), labels, 2 * N_EPOCHS)[-1] == said


def test_labels_count_as_pairs_of_which_some_are_drawn(labels):
    rows = FeatureRows(
        np.arange(100, dtype=np.float32)[:, None], (1,), torch.device("cpu")
    )
    known = PairwiseConstraints.from_labels(labels)
    settling = Settling(rows, known, n_clusters=3, batch_size=16, seed=0)
    assert len(settling._i) == _settling._N_PAIRS
    assert look(settling, labels, N_EPOCHS + 1)[-1]
    assert not any(look(settling, np.roll(np.sort(labels), 50), 2 * N_EPOCHS))


def test_what_was_seen_goes_into_another(labels):
    one, two = watch(), watch()
    look(one, labels, N_EPOCHS)
    two.restore(one.state())
    assert look(two, labels) == look(one, labels) == [True]


def test_many_samples_are_watched_by_some(labels, monkeypatch):
    monkeypatch.setattr(_settling, "_N_SAMPLES", 10)
    settling, other = watch(batch_size=100), np.roll(labels, 1)
    watched = settling._parts[0]
    assert len(watched) == 10
    other[watched] = labels[watched]
    look(settling, labels, N_EPOCHS)
    assert look(settling, other) == [True]


@pytest.fixture(scope="module")
def moons():
    X, y = make_moons(600, noise=0.05, random_state=0)
    return X, y, PairwiseConstraints.sample_from_labels(y, 100, random_state=0)


def clusterer(**params):
    return ConstrainedNeuralClusterer(2, random_state=0, **params)


@pytest.mark.parametrize("params", [{}, {"unlabeled": "vat"}], ids=str)
def test_fits_end_early_where_groups_lie_apart(moons, params):
    X, y, pairs = moons
    fitted = clusterer(**params).fit(X, pairs)
    assert len(fitted.loss_curve_) == fitted.n_iter_ < fitted.max_iter
    assert adjusted_rand_score(y, fitted.labels_) == 1


def test_without_unlabeled_samples_all_epochs_are_trained(moons):
    X, y, _ = moons
    some = np.where(np.arange(len(y)) % 6 == 0, y, -1)
    fitted = clusterer(unlabeled=None, max_iter=15).fit(X, some)
    # It starts from clusters as well.
    assert fitted.start_ == "groups"
    assert fitted.n_iter_ == 15


def test_restarts_are_compared_at_the_same_length(moons):
    X, _, pairs = moons
    fitted = clusterer(n_init=2, max_iter=20).fit(X, pairs)
    alone = clusterer(max_iter=20).fit(X, pairs)
    assert alone.n_iter_ < fitted.n_iter_


def test_a_fit_that_was_killed_settles_when_it_would_have(moons, tmp_path, monkeypatch):
    X, _, pairs = moons
    expected = clusterer(max_iter=20).fit(X, pairs)
    keeping = clusterer(max_iter=20, checkpoint_dir=tmp_path, checkpoint_interval=0)
    look_once = Settling.__call__

    def die(settling, network):
        if settling.n_unchanged == N_EPOCHS - 2:
            raise ZeroDivisionError
        return look_once(settling, network)

    with monkeypatch.context() as patched:
        patched.setattr(Settling, "__call__", die)
        with pytest.raises(ZeroDivisionError):
            keeping.fit(X, pairs)
    keeping.fit(X, pairs)
    assert keeping.n_iter_ == expected.n_iter_
    np.testing.assert_array_equal(keeping.predict_proba(X), expected.predict_proba(X))
