"""Samples without a partner, each a class of its own with a changed copy."""

import numpy as np
import pytest

from skpairclust import MetricEmbedder, PairwiseConstraints
from skpairclust.embedder._instances import Instances, find_instances
from skpairclust.embedder._known_groups import KnownGroups


def known_of(labels=None, **pairs):
    if labels is not None:
        return KnownGroups(PairwiseConstraints.from_labels(labels))
    return KnownGroups(PairwiseConstraints(**pairs))


def test_who_has_no_partner():
    assert find_instances(known_of([0, 0, 1, -1, 1, 2])).tolist() == [3, 5]
    pairs = {"must_link": [(0, 4)], "cannot_link": [(4, 2)], "n_samples": 6}
    assert find_instances(known_of(**pairs)).tolist() == [1, 2, 3, 5]
    assert find_instances(known_of([0, 0, 1, 1])).tolist() == []


def test_what_is_known_of_copies():
    known = known_of(
        must_link=[(0, 1)], cannot_link=[(1, 2), (0, 3), (2, 3)], n_samples=6
    )
    instances = Instances(known, 16, np.random.RandomState(0))
    rows, relation = instances.join(np.array([0, 1, 2]))
    # 2 is there already: 3 to 5 are added, twice
    assert rows[:3].tolist() == [0, 1, 2]
    own = rows[3:6]
    assert sorted(own) == [3, 4, 5] and np.array_equal(own, rows[6:])
    np.testing.assert_array_equal(relation, relation.T)
    expected = np.full((9, 9), -1.0)
    expected[:3, :3] = [[0, 1, -1], [1, 0, -1], [-1, -1, 0]]
    for i, j in ((3, 6), (4, 7), (5, 8)):
        expected[i, j] = expected[j, i] = 1
    np.fill_diagonal(expected, 0)
    np.testing.assert_array_equal(relation, expected)


def test_what_is_not_known_stays_so_among_the_others():
    known = known_of(must_link=[(0, 1), (2, 3)], cannot_link=[(0, 4)], n_samples=7)
    instances = Instances(known, 16, np.random.RandomState(0))
    _, relation = instances.join(np.array([0, 1, 2, 3]))
    assert (relation[:2, 2:4] == 0).all()
    assert (relation[:4, 4:] == -1).all()


def strokes(n_classes, n_each, seed):
    """Return images of random strokes, written with a shaking hand, and classes."""
    rng = np.random.RandomState(seed)
    ends = rng.uniform(-1, 1, (n_classes, 3, 2, 2)).repeat(n_each, axis=0)
    ends = (ends + rng.normal(scale=0.12, size=ends.shape)) * 5 + 8
    along = np.linspace(0, 1, 12)[:, None, None, None]
    ink = (1 - along) * ends[:, :, 0] + along * ends[:, :, 1]
    grid = np.stack(np.mgrid[:16, :16], axis=-1)
    gap = ((grid[:, :, None, None, None] - ink) ** 2).sum(-1).min(axis=(2, 4))
    return np.exp(-gap).transpose(2, 0, 1), np.arange(n_classes).repeat(n_each)


def test_samples_without_a_label_count():
    X, y = strokes(30, 4, 0)
    known, labels = y < 6, np.where(y < 6, y, -1)
    options = {"max_iter": 15, "random_state": 0, "learning_rate": 5e-3}
    scores = []
    for unlabeled in (None, "instances"):
        model = MetricEmbedder(16, unlabeled=unlabeled, **options).fit(X, labels)
        scores.append(model.score(X[~known], y[~known]))
    assert scores[1] > scores[0]


@pytest.mark.parametrize(
    ("known", "params", "chosen"),
    [
        ("pairs", {}, "instances"),
        ("pairs", {"unlabeled": None}, None),
        ("pairs", {"augment": None}, None),
        ("pairs", {"loss": "contrastive"}, None),
        ("pairs", {"mining": "semihard"}, None),
        ("pairs of few classes", {}, None),
        ("labels", {}, None),
        ("labels", {"unlabeled": "instances"}, "instances"),
    ],
    ids=str,
)
def test_samples_without_a_partner_teach_where_pairs_are_of_many_classes(
    known, params, chosen
):
    X, y = strokes(60, 4, 0)
    if known == "labels":
        y = np.where(y < 55, y, -1)
    else:
        classes = y % 12 if known == "pairs of few classes" else y
        y = PairwiseConstraints.sample_from_labels(classes, 14_000, random_state=0)
    model = MetricEmbedder(4, max_iter=1, random_state=0, **params).fit(X, y)
    assert model.unlabeled_ == chosen


def test_nothing_changes_where_all_samples_have_a_partner():
    X, y = strokes(5, 3, 0)
    options = {"max_iter": 1, "random_state": 0}
    first, second = (
        MetricEmbedder(4, unlabeled=unlabeled, **options).fit(X, y)
        for unlabeled in (None, "instances")
    )
    np.testing.assert_array_equal(first.embedding_, second.embedding_)


def test_what_does_not_go_together():
    X, y = strokes(6, 4, 0)
    for params, message in (
        ({"augment": None}, "augment=None changes nothing"),
        ({"mining": "pool"}, "mining='pool'"),
        ({"sampling": "hard"}, "sampling='hard'"),
    ):
        with pytest.raises(ValueError, match=message):
            MetricEmbedder(4, unlabeled="instances", **params).fit(X, y)


def test_a_fit_goes_on_after_it_was_killed(tmp_path):
    class Killed(Exception):
        pass

    X, y = strokes(10, 4, 0)
    labels, n_calls = np.where(y < 5, y, -1), 0

    def augment(x, generator):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 14:
            raise Killed
        return x

    options = {"unlabeled": "instances", "max_iter": 5, "random_state": 0}
    kept = {"checkpoint_dir": tmp_path, "checkpoint_interval": 0}
    model = MetricEmbedder(4, augment=augment, **options, **kept)
    with pytest.raises(Killed):
        model.fit(X, labels)
    model.fit(X, labels)
    expected = MetricEmbedder(4, augment=augment, **options).fit(X, labels)
    np.testing.assert_array_equal(model.embedding_, expected.embedding_)
