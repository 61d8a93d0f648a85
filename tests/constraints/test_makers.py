"""PairwiseConstraints from labels, triples, matrices, neighbors and sequences."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import sparse

from skpairclust.constraints import PairwiseConstraints
from tests.constraints.oracles import as_dicts, build, explicit, naive_block

# Labels


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=12))
def test_labels_constrain_every_pair(labels):
    c = PairwiseConstraints.from_labels(labels)
    known = [i for i, label in enumerate(labels) if label >= 0]
    pairs = list(combinations(known, 2))
    must = {(a, b): 1.0 for a, b in pairs if labels[a] == labels[b]}
    cannot = {(a, b): 1.0 for a, b in pairs if labels[a] != labels[b]}
    assert as_dicts(c) == (must, cannot)
    assert (c.n_must_link, c.n_cannot_link) == (len(must), len(cannot))
    assert not c.conflicts()
    assert c.closure() == c
    assert len(c._must_link) == len(c._cannot_link) == 0


def test_labels_of_other_types():
    expected = PairwiseConstraints.from_labels([5, 5, -1, 70_000_000_000])
    for labels in (
        np.array([1.0, 1.0, -1.0, 2.0]),
        pd.Series([3, 3, -1, 0], index=list("abcd")),
        pd.Series([3, 3, -1, 0], dtype="Int64"),
        np.array([0, 0, -1, 9], dtype=object),
        np.array([0, 0, -1, 1], dtype=np.int8),
    ):
        assert PairwiseConstraints.from_labels(labels) == expected


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, -2, -7], ValueError, "y holds labels below -1: -7, -2.*means unlab"),
        ([0, 0.5], ValueError, "whole numbers or names; got 0.5"),
        ([0, np.inf], ValueError, "whole numbers or names; got inf"),
        ([0, "b"], TypeError, "y mixes labels of different types: 0 and 'b'"),
        (["a", "-1"], ValueError, "string '-1'.*None"),
        (np.array(["a", np.nan]), ValueError, "name 'nan', which NumPy makes"),
        ([[0], [1]], ValueError, r"one-dimensional.*\(2, 1\).*ravel"),
        (0, ValueError, "one-dimensional"),
        ([{}, {1: 2}], TypeError, "cannot be a label"),
        ([True, False], TypeError, "y must hold integers"),
    ],
)
def test_wrong_labels(labels, error, message):
    with pytest.raises(error, match=message):
        PairwiseConstraints.from_labels(labels)


def test_many_labels_are_not_listed():
    c = PairwiseConstraints.from_labels(np.arange(1_000_000) % 10)
    assert c.n_must_link == 10 * (100_000 * 99_999 // 2)
    assert c.n_cannot_link == 45 * 100_000**2
    assert c.n_pairs == 1_000_000 * 999_999 // 2
    assert c.nbytes < 1e7
    for attribute in ("must_link", "cannot_link", "must_link_weight"):
        with pytest.raises(ValueError, match="too many to list.*relation_block"):
            getattr(c, attribute)
    with pytest.raises(ValueError, match="too many to list"):
        c.to_matrix()


# Sampling


@pytest.mark.parametrize("n_pairs", [0, 3, 12, 27, 28])
@pytest.mark.parametrize("seed", range(5))
def test_sampled_pairs_are_different_and_right(n_pairs, seed):
    y = np.array([0, 0, 0, -1, 1, 1, 2, 2, -1, 2])
    c = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)
    assert c.n_pairs == n_pairs
    assert (y[c.must_link[:, 0]] == y[c.must_link[:, 1]]).all()
    assert (y[c.cannot_link[:, 0]] != y[c.cannot_link[:, 1]]).all()
    assert (y[np.concatenate((c.must_link, c.cannot_link))] >= 0).all()
    again = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)
    assert again == c


@pytest.mark.parametrize(
    ("n_pairs", "balanced"), [(5, False), (20, False), (6, True), (10, True)]
)
def test_sampling_is_uniform(n_pairs, balanced):
    y = np.array([0, 0, 0, 0, 1, 1, 2, -1])
    rng = np.random.RandomState(0)
    n_rounds = 3000
    counts = np.zeros((8, 8))
    for _ in range(n_rounds):
        c = PairwiseConstraints.sample_from_labels(
            y, n_pairs, balanced=balanced, random_state=rng
        )
        counts += abs(c.to_matrix().toarray())
    first, second = np.triu_indices(7, 1)
    is_must = y[first] == y[second]
    if balanced:
        n_must = n_pairs // 2
        share = np.where(
            is_must, n_must / is_must.sum(), (n_pairs - n_must) / (~is_must).sum()
        )
    else:
        share = np.full(21, n_pairs / 21)
    # binomial counts: five standard deviations hold for all of 21 pairs
    spread = 5 * np.sqrt(n_rounds * share * (1 - share)) + 1e-9
    assert (abs(counts[first, second] - n_rounds * share) <= spread).all()


@pytest.mark.parametrize("n_samples", range(2, 12))
def test_all_pairs_can_be_drawn(n_samples):
    y = np.arange(n_samples) % 3
    n_all = n_samples * (n_samples - 1) // 2
    c = PairwiseConstraints.sample_from_labels(y, n_all, random_state=0)
    assert c.closure() == PairwiseConstraints.from_labels(y)
    assert c.n_pairs == n_all


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.25, 1.0])
def test_noise_flips_an_exact_number(noise):
    y = np.arange(200) % 4
    c = PairwiseConstraints.sample_from_labels(y, 999, noise=noise, random_state=0)
    n_wrong = (y[c.must_link[:, 0]] != y[c.must_link[:, 1]]).sum()
    n_wrong += (y[c.cannot_link[:, 0]] == y[c.cannot_link[:, 1]]).sum()
    assert c.n_pairs == 999 and n_wrong == round(noise * 999)


def test_balanced_halves():
    y = np.arange(100) % 10
    c = PairwiseConstraints.sample_from_labels(y, 101, balanced=True, random_state=0)
    assert (c.n_must_link, c.n_cannot_link) == (50, 51)


def test_sampling_few_of_many():
    y = np.arange(1_000_000) % 10
    c = PairwiseConstraints.sample_from_labels(y, 10_000, random_state=0)
    assert c.n_pairs == 10_000
    # a tenth within 5 standard deviations
    assert abs(c.n_must_link - 1000) < 150


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_pairs": 7}, ValueError, "7 pairs, but .* only 6"),
        ({"n_pairs": 6, "balanced": True}, ValueError, "3 must-links, but .* only 2"),
        ({"n_pairs": -1}, ValueError, "n_pairs must not be negative; got -1"),
        ({"n_pairs": 2.0}, TypeError, "n_pairs must be an integer; got 2.0"),
        ({"n_pairs": 2, "noise": 1.5}, ValueError, r"noise must be in \[0, 1\].*1.5"),
        ({"n_pairs": 2, "noise": "a"}, TypeError, "noise must be a number"),
        ({"n_pairs": 2, "noise": np.nan}, ValueError, "noise must be in"),
    ],
)
def test_wrong_sampling(arguments, error, message):
    with pytest.raises(error, match=message):
        PairwiseConstraints.sample_from_labels([0, 0, 1, 1], **arguments)


# Triples and matrices


def test_triples():
    c = PairwiseConstraints.from_tuples([(0, 1, 1), (3, 2, -1), (1, 0, 1)], 4)
    assert as_dicts(c) == ({(0, 1): 2.0}, {(2, 3): 1.0})
    assert PairwiseConstraints.from_tuples([], 4).n_pairs == 0


@pytest.mark.parametrize(
    ("triples", "error", "message"),
    [
        ([(0, 1, 0)], ValueError, r"third column; got \(0, 1, 0\).*not known"),
        ([(0, 1, 2)], ValueError, "third column"),
        ([(0, 1)], ValueError, r"shape \(m, 3\).*\(1, 2\)"),
        ([(0.0, 1.0, 1.0)], TypeError, "triples must hold integers"),
        ([(0, 9, 1)], ValueError, "out of range"),
        ([(1, 1, -1)], ValueError, "with themselves"),
    ],
)
def test_wrong_triples(triples, error, message):
    with pytest.raises(error, match=message):
        PairwiseConstraints.from_tuples(triples, 4)


@given(explicit())
def test_matrix_round_trip(parts):
    c = build(*parts)
    # a matrix has one entry a pair: it cannot hold both kinds
    c = c.subset(np.r_[: c.n_must_link]) if c.conflicts().direct.size else c
    M = c.to_matrix()
    assert_allclose(M.toarray(), naive_block(*as_dicts(c), range(c.n_samples)))
    for matrix in (
        M,
        M.toarray(),
        M.tocsc(),
        sparse.csr_matrix(M),
        sparse.triu(M),
        np.tril(M.toarray()),
        M.toarray() + np.eye(c.n_samples),
    ):
        assert PairwiseConstraints.from_matrix(matrix) == c


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        ([[0, 1], [-1, 0]], ValueError, r"neither symmetric .*differ at \(0, 1\)"),
        ([[0, 1, 0], [1, 0, 1], [0, 0, 0]], ValueError, r"differ at \(1, 2\)"),
        ([[-1, 0], [0, 0]], ValueError, "diagonal, for samples 0"),
        ([[0, np.nan], [np.nan, 0]], ValueError, "must be finite; got nan"),
        ([[0, 1, 0]], ValueError, r"square; got \(1, 3\)"),
        ([["a"]], TypeError, "must hold numbers"),
        ([[False, True], [True, False]], TypeError, "dtype bool"),
        ([1, 2], ValueError, "square"),
    ],
)
def test_wrong_matrix(matrix, error, message):
    with pytest.raises(error, match=message):
        PairwiseConstraints.from_matrix(matrix)


# Neighbors and sequences


def test_neighbors():
    X = np.array([[0.0], [1.0], [2.5], [20.0]])
    make = PairwiseConstraints.from_neighbors
    c = make(X, n_neighbors=1)
    assert c.must_link.tolist() == [[0, 1], [1, 2], [2, 3]]
    # mutual neighbors are one pair of weight 1
    assert c.must_link_weight.tolist() == [1.0, 1.0, 1.0]
    assert make(X, n_neighbors=1, radius=2).must_link.tolist() == [[0, 1], [1, 2]]
    c = make(X, n_neighbors=None, radius=2.5)
    assert c.must_link.tolist() == [[0, 1], [0, 2], [1, 2]]
    c = make(X, n_neighbors=1, radius=2, cannot_radius=15, random_state=0)
    assert set(as_dicts(c)[1]) < {(0, 3), (1, 3), (2, 3)} and c.n_cannot_link == 2
    c = make(X, cannot_radius=15, n_cannot_link=9, n_neighbors=1)
    assert c.n_cannot_link == 3
    with pytest.raises(ValueError, match="n_neighbors and radius are both None"):
        make(X, n_neighbors=None)


def test_identical_samples_are_neighbors():
    c = PairwiseConstraints.from_neighbors(np.zeros((4, 2)), n_neighbors=3)
    assert c.n_must_link == 6


def test_sequences():
    make = PairwiseConstraints.from_sequences
    tracks = [4, 4, 9, 9, -1, 2]
    assert as_dicts(make(tracks)) == ({(0, 1): 1.0, (2, 3): 1.0}, {})
    c = make(tracks, times=[0, 1, 1, 2, 1, 5])
    assert set(as_dicts(c)[1]) == {(0, 2), (0, 3), (1, 2), (1, 3)}
    days = np.array([0, 1, 1, 2, 1, 5], dtype="datetime64[D]")
    assert make(tracks, times=days) == c
    # a gap cuts a track: its pieces are unrelated, and only those that meet differ
    c = make([1, 1, 1, 2], times=[0, 1, 9, 9], max_gap=2)
    assert as_dicts(c) == ({(0, 1): 1.0}, {(2, 3): 1.0})
    c = make([1, 1], times=days[[0, 5]], max_gap=np.timedelta64(3, "D"))
    assert c.n_pairs == 0


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 5)), min_size=1, max_size=12),
    st.one_of(st.none(), st.integers(0, 3)),
)
def test_sequences_as_a_loop_would_read_them(samples, max_gap):
    tracks, times = map(list, zip(*samples, strict=True))
    numbers = range(len(samples))
    pieces = {}
    for track in {*tracks} - {-1}:
        members = sorted(
            (i for i in numbers if tracks[i] == track), key=times.__getitem__
        )
        pieces[members[0]] = members[0]
        for before, after in zip(members, members[1:], strict=False):
            is_cut = max_gap is not None and times[after] - times[before] > max_gap
            pieces[after] = after if is_cut else pieces[before]
    pairs = [(a, b) for a, b in combinations(numbers, 2) if {a, b} <= pieces.keys()]
    met = {
        (pieces[a], pieces[b])
        for a, b in product(pieces, repeat=2)
        if times[a] == times[b] and pieces[a] != pieces[b]
    }
    must, cannot = as_dicts(
        PairwiseConstraints.from_sequences(tracks, times=times, max_gap=max_gap)
    )
    assert must.keys() == {(a, b) for a, b in pairs if pieces[a] == pieces[b]}
    assert cannot.keys() == {(a, b) for a, b in pairs if (pieces[a], pieces[b]) in met}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"max_gap": 1}, ValueError, "max_gap needs times"),
        ({"times": [0, 1]}, ValueError, r"times .*shape \(3,\); got \(2,\)"),
        ({"times": [0, 1, np.nan]}, ValueError, "times must be finite"),
        ({"times": ["a", "b", "c"]}, TypeError, "times must be numbers, dates"),
        ({"times": [0, 1, 2], "max_gap": -1}, ValueError, "max_gap must not be neg"),
        ({"sequence_ids": ["a", "b", 3]}, TypeError, "sequence_ids mixes labels"),
    ],
)
def test_wrong_sequences(arguments, error, message):
    arguments = {"sequence_ids": [0, 0, 1], **arguments}
    with pytest.raises(error, match=message):
        PairwiseConstraints.from_sequences(**arguments)
