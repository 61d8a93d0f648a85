"""Walks along neighbors, and the share of wrong pairs that they and people add."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer import _propagation
from skpairclust.clusterer._noise import NoiseEstimate
from skpairclust.clusterer._propagation import NeighborWalk, make_walk
from skpairclust.losses._pairs import flip_share
from skpairclust.losses._stated_pairs import state_pairs


@pytest.fixture
def X():
    return np.random.RandomState(0).normal(size=(300, 4))


def walk_on(X, constrained=(0, 1), seed=0, **options):
    """Make a walk in the Euclidean metric: cannot-links alone teach no other."""
    options = {"n_neighbors": 5, "length": 1, "n_clusters": 3, **options}
    pairs = np.column_stack([constrained[:-1], constrained[1:]]).astype(np.int64)
    known = PairwiseConstraints(cannot_link=pairs, n_samples=X.shape[0])
    return make_walk(X, known, rng=np.random.RandomState(seed), **options)


def ends(walk, start, n=4000):
    return walk(np.full(n, start), np.random.RandomState(1))


@pytest.mark.parametrize("length", [1, 2])
def test_a_walk_ends_within_its_steps_of_neighbors(X, length):
    near = NearestNeighbors(n_neighbors=5).fit(X).kneighbors(return_distance=False)
    reachable = {0}
    for _ in range(length):
        reachable |= {int(j) for i in reachable for j in near[i]}
    assert set(ends(walk_on(X, length=length), 0)) == reachable


def test_the_number_of_steps_is_uniform():
    ring = np.arange(10)
    walk = NeighborWalk(ring, ring, (ring[:, None] + 1) % 10, length=3)
    share = np.bincount(ends(walk, 0), minlength=10) / 4000
    np.testing.assert_allclose(share, [0.25] * 4 + [0] * 6, atol=0.03)


def test_the_more_samples_are_constrained_the_fewer_walk(X):
    stay = [np.mean(ends(walk_on(X, np.arange(m)), 0) == 0) for m in (2, 100, 200, 299)]
    # Half of those that set out take no step.
    expected = [1 - (1 - m / 300) / 2 for m in (2, 100, 200, 299)]
    np.testing.assert_allclose(stay, expected, atol=0.03)
    everything = walk_on(X, np.arange(300))
    assert (ends(everything, 0) == 0).all()
    rows = np.zeros(4000, dtype=np.int64)
    moved = everything(rows, np.random.RandomState(0), least_share=0.5) != 0
    # Half of the half that sets out takes no step, as above.
    assert np.mean(moved) == pytest.approx(0.25, abs=0.03)


def test_rows_that_would_fill_the_memory_are_projected(monkeypatch):
    y = np.arange(200) % 4
    X = np.random.RandomState(0).normal(size=(200, 5, 400)) + y[:, None, None]
    as_they_are = walk_on(X).neighbors
    monkeypatch.setattr(_propagation, "_MOST_VALUES", X.size - 1)
    largest = []

    class Rows:
        shape = X.shape

        def __getitem__(self, rows):
            largest.append(len(rows))
            return X[rows]

    monkeypatch.setattr(_propagation, "_BLOCK", 64)
    walk = walk_on(Rows())
    assert max(largest) == 64 and sum(largest) == 200
    for neighbors in (as_they_are, walk.neighbors):
        assert (y[neighbors] == y[:, None]).mean() > 0.99


def test_no_walk_without_length_neighbors_or_constraints(X):
    assert walk_on(X, length=0) is None
    assert walk_on(X, constrained=[]) is None
    assert walk_on(X[:29]) is None


@pytest.mark.parametrize(
    ("n_neighbors", "n_clusters", "length"), [(5, 3, 3), (10, 3, 2), (1, 300, 1)]
)
def test_automatic_length_reaches_a_cluster(X, n_neighbors, n_clusters, length):
    walk = walk_on(X, n_neighbors=n_neighbors, n_clusters=n_clusters, length="auto")
    assert walk.length == length


@pytest.mark.parametrize("shape", [(300, 100), (300, 10, 10)])
def test_wide_rows_are_reduced_and_neighbors_stay_near(shape):
    rng = np.random.RandomState(0)
    blob = np.repeat(np.arange(3), 100)
    X = rng.normal(size=shape) + 8 * blob.reshape(-1, *[1] * (len(shape) - 1))
    walk = walk_on(X, length=4)
    for start in (0, 150, 299):
        assert set(blob[ends(walk, start, 200)]) == {blob[start]}


def test_rows_far_from_zero_keep_their_neighbors():
    rng = np.random.RandomState(0)
    # So many rows of so few features that a covariance is taken.
    blob = np.arange(3000) % 5
    X = rng.normal(size=(3000, 300)) + rng.normal(scale=0.5, size=(5, 300))[blob]
    for mean in (0, 1e4):
        neighbors = walk_on(X + mean, n_neighbors=10).neighbors
        assert (blob[neighbors] == blob[:, None]).mean() > 0.99


def test_sparse_and_dense_rows_have_the_same_neighbors():
    rng = np.random.RandomState(0)
    X = sparse.csr_array(
        rng.uniform(size=(400, 30)) * (rng.uniform(size=(400, 30)) < 0.2)
    )
    found = [walk_on(rows).neighbors for rows in (X, X.toarray())]
    np.testing.assert_array_equal(*found)


def test_nodes_are_bounded_and_the_constrained_are_among_them(X, monkeypatch):
    monkeypatch.setattr("skpairclust.clusterer._propagation._MAX_NODES", 100)
    constrained = np.arange(0, 300, 5)
    walk = walk_on(X, constrained)
    assert len(walk.nodes) == 100
    assert (walk.place[constrained] >= 0).all()
    outside = np.flatnonzero(walk.place < 0)
    np.testing.assert_array_equal(
        walk(outside, np.random.RandomState(0)), outside, "no node: no step"
    )


def test_flip_share_is_the_posterior_of_a_loop():
    rng = np.random.RandomState(0)
    log_p = torch.tensor(rng.normal(size=(8, 3))).log_softmax(1)
    relation = np.triu(rng.choice([-2.0, -1.0, 0.0, 1.0], size=(8, 8)), 1)
    relation = torch.tensor(relation + relation.T)
    p, total, weight = log_p.exp(), 0.2, 1.0
    for i, j in np.argwhere(relation.numpy() != 0):
        same = float(p[i] @ p[j])
        likelihood = same if relation[i, j] > 0 else 1 - same
        wrong = 0.2 * (1 - likelihood)
        w = abs(float(relation[i, j]))
        total += w * wrong / (wrong + 0.8 * likelihood)
        weight += w
    assert float(flip_share(state_pairs(p, relation), 0.2)) == pytest.approx(
        total / weight
    )
    assert float(flip_share(state_pairs(p, 0 * relation), 0.2)) == pytest.approx(0.2)


def test_estimate_converges_to_the_share_that_contradicts_sure_outputs():
    labels = np.arange(60) % 3
    log_p = (torch.eye(3)[labels] + 1e-6).log().log_softmax(1)
    relation = np.where(labels[:, None] == labels, 1.0, -1.0)
    flips = np.triu(np.random.RandomState(0).uniform(size=(60, 60)) < 0.2, 1)
    relation[flips | flips.T] *= -1
    np.fill_diagonal(relation, 0)
    estimate = NoiseEstimate.start("estimate", None, torch.device("cpu"))
    relation = torch.tensor(relation, dtype=torch.float32)
    for _ in range(400):
        estimate(state_pairs(log_p.exp(), relation))
    share = flips.sum() / (60 * 59 / 2)
    assert float(estimate.rate) == pytest.approx(share, abs=0.005)


def test_given_rate_stays_without_a_walk_and_is_a_floor_with_one(X):
    log_p = torch.eye(2).log().clamp_min(-50)
    relation = torch.tensor([[0.0, -1.0], [-1.0, 0.0]])
    device = torch.device("cpu")
    fixed = NoiseEstimate.start(0.1, None, device)
    floor = NoiseEstimate.start(0.1, walk_on(X), device)
    for _ in range(300):
        fixed(state_pairs(log_p.exp(), relation))
        floor(state_pairs(log_p.exp(), relation))
    assert fixed.rate == 0.1
    assert float(floor.rate) == pytest.approx(0.1)


def noisy_blobs(noise, seed=0):
    rng = np.random.RandomState(seed)
    y = np.repeat(np.arange(4), 60)
    X = rng.normal(size=(240, 5)) + 3 * rng.normal(size=(4, 5))[y]
    pairs = PairwiseConstraints.sample_from_labels(
        y, 1500, noise=noise, random_state=seed
    )
    return X.astype(np.float32), y, pairs


@pytest.mark.parametrize("noise_rate", [0.2, "estimate"])
def test_noise_rate_lets_wrong_pairs_be_broken(noise_rate):
    X, y, pairs = noisy_blobs(0.2)
    model = ConstrainedNeuralClusterer(
        4, noise_rate=noise_rate, max_iter=30, hidden_layer_sizes=64, random_state=0
    ).fit(X, pairs)
    labels = model.labels_
    kept = np.concatenate(
        [
            labels[pairs.must_link[:, 0]] == labels[pairs.must_link[:, 1]],
            labels[pairs.cannot_link[:, 0]] != labels[pairs.cannot_link[:, 1]],
        ]
    )
    assert 0.7 < kept.mean() < 0.85
    assert model.noise_rate_ == pytest.approx(0.2, abs=0.05)


def test_noise_rate_needs_a_likelihood():
    X, _, pairs = noisy_blobs(0.0)
    with pytest.raises(ValueError, match="noise_rate=0.1 needs loss='mcl'"):
        ConstrainedNeuralClusterer(4, loss="kcl", noise_rate=0.1).fit(X, pairs)


def test_no_projection_reads_what_memory_held(monkeypatch):
    monkeypatch.setattr(_propagation, "_MOST_VALUES", 10)
    X = np.random.RandomState(0).rand(300, 20_000).astype(np.float32)
    for _ in range(3):
        freed = np.full((1, 20_000), np.nan, dtype=np.float32)
        del freed
        points = _propagation._narrow(X, np.arange(300), np.random.RandomState(0))
        assert np.isfinite(points).all()
