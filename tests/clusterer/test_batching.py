"""Batches: distinct rows, all that is known among them, whole passes."""

from itertools import islice, product

import numpy as np
import pytest

from skpairclust import PairwiseConstraints
from skpairclust.clusterer._batching import ConstraintBatches, count_steps
from skpairclust.losses._relations import PairList
from skpairclust.neural._streams import shuffled_stream


def batches(constraints, batch_size, n, seed=0):
    stream = ConstraintBatches(constraints, batch_size, np.random.RandomState(seed))
    return list(islice(stream, n))


@pytest.fixture
def labels():
    return np.random.RandomState(0).randint(4, size=60)


@pytest.fixture
def pairs(labels):
    return PairwiseConstraints.sample_from_labels(labels, 100, random_state=0)


def signed_matrix(constraints):
    matrix = np.zeros((constraints.n_samples,) * 2)
    for links, sign in ((constraints.must_link, 1), (constraints.cannot_link, -1)):
        matrix[links[:, 0], links[:, 1]] = matrix[links[:, 1], links[:, 0]] = sign
    return matrix


@pytest.mark.parametrize("kind", ["pairs", "labels", "both"])
def test_batches_hold_distinct_rows_and_every_pair_known_among_them(
    kind, labels, pairs
):
    partial = np.where(np.arange(60) < 20, labels, -1)
    constraints = {
        "pairs": pairs,
        "labels": PairwiseConstraints.from_labels(partial),
        "both": PairwiseConstraints([[30, 31]], [[32, 40]], n_samples=60)
        | PairwiseConstraints.from_labels(partial),
    }[kind]
    expected = signed_matrix(constraints)
    for rows, relation in batches(constraints, 16, 30):
        assert len(set(rows)) == len(rows) <= 16
        assert relation.dtype == np.float32
        np.testing.assert_array_equal(relation, expected[np.ix_(rows, rows)])


def test_few_pairs_of_a_large_batch_are_a_list():
    """Pairs with weights: those of the matrix, which is kept for many or for groups."""
    labels = np.random.RandomState(0).randint(5, size=2000)
    drawn = PairwiseConstraints.sample_from_labels(labels, 150, random_state=0)
    weights = np.random.RandomState(1).rand(len(drawn.must_link)) + 0.5
    pairs = PairwiseConstraints(
        drawn.must_link, drawn.cannot_link, n_samples=2000, must_link_weight=weights
    )
    kinds = set()
    for size, listed in product((8, 400), ("few", "all")):
        options = [
            islice(ConstraintBatches(pairs, size, rng, listed=how), 3)
            for how, rng in zip(
                (None, listed), map(np.random.RandomState, (0, 0)), strict=True
            )
        ]
        for (rows, matrix), (same_rows, relation) in zip(*options, strict=True):
            np.testing.assert_array_equal(rows, same_rows)
            kinds.add((size, listed, type(relation)))
            if isinstance(relation, PairList):
                found = np.zeros_like(matrix)
                found[relation.i, relation.j] = relation.weight
                relation = found + found.T
            np.testing.assert_array_equal(relation, matrix)
    assert kinds == {
        (8, "few", np.ndarray),
        (8, "all", PairList),
        (400, "few", PairList),
        (400, "all", PairList),
    }
    grouped = pairs | PairwiseConstraints.from_labels(labels)
    for listed in ("few", "all"):
        batches = ConstraintBatches(
            grouped, 400, np.random.RandomState(0), listed=listed
        )
        assert isinstance(next(iter(batches)).relation, np.ndarray)


def test_an_epoch_meets_every_pair(pairs):
    stream = ConstraintBatches(pairs, 16, np.random.RandomState(0))
    assert stream.n_steps == -(-200 // 16)
    met = np.zeros((60, 60))
    for rows, relation in islice(stream, stream.n_steps):
        met[np.ix_(rows, rows)] += relation != 0
    assert (met[signed_matrix(pairs) != 0] > 0).all()


def test_an_epoch_meets_every_labeled_sample(labels):
    partial = np.where(np.arange(60) % 3 == 0, labels, -1)
    stream = ConstraintBatches(
        PairwiseConstraints.from_labels(partial), 8, np.random.RandomState(0)
    )
    rows = np.concatenate([b.rows for b in islice(stream, stream.n_steps)])
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(partial >= 0))


def test_both_sources_share_every_batch(labels):
    partial = np.where(np.arange(60) < 30, labels, -1)
    constraints = PairwiseConstraints(
        [[i, i + 1] for i in range(30, 58, 2)], None, n_samples=60
    ) | PairwiseConstraints.from_labels(partial)
    for rows, _ in batches(constraints, 8, 10):
        assert (rows < 30).any()
        assert (rows >= 30).any()


def test_seed_decides_the_batches(pairs):
    for a, b in zip(batches(pairs, 16, 9), batches(pairs, 16, 9), strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)
    other = batches(pairs, 16, 9, seed=1)
    assert any(
        not np.array_equal(a.rows, b.rows)
        for a, b in zip(batches(pairs, 16, 9), other, strict=True)
    )


@pytest.mark.parametrize(("n", "size"), [(10, 3), (10, 10), (10, 25), (1, 4), (0, 4)])
def test_shuffled_stream_passes_over_all_numbers(n, size):
    stream = shuffled_stream(n, size, np.random.RandomState(0))
    per_pass = max(1, -(-n // size))
    for _ in range(3):
        parts = list(islice(stream, per_pass))
        assert max(map(len, parts)) <= size
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))


@pytest.mark.parametrize(
    ("n_constraint_steps", "n_samples", "unlabeled", "expected"),
    [
        (1, 100, True, 4),
        (20, 100, True, 20),
        (3, 5_000, True, 20),
        (3, 1_000_000, True, 64),
        (100, 1_000_000, True, 100),
        (200, 1_000_000, True, 112),
        (200, 1_000_000, False, 200),
        (3, 1_000_000, False, 4),
    ],
)
def test_steps_of_an_epoch(n_constraint_steps, n_samples, unlabeled, expected):
    steps = count_steps(n_constraint_steps, n_samples, 256, unlabeled=unlabeled)
    assert steps == expected
