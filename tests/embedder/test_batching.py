"""Batches for embeddings, and lists of hard triplets, against the constraints."""

from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from skpairclust.constraints import PairwiseConstraints
from skpairclust.embedder._batching import (
    GroupBatches,
    HardBatches,
    PairBatches,
    TripletBatches,
    count_steps,
    draw_from_each,
)
from skpairclust.embedder._known_groups import KnownGroups
from skpairclust.embedder._objective import can_compare, draws_pairs
from skpairclust.embedder._triplet_pool import POOLS, TripletPool
from skpairclust.embedder._validation import split
from skpairclust.metrics import clustering_accuracy_score

LABELS = np.repeat(np.arange(10), 12)
FROM_LABELS = PairwiseConstraints.from_labels(LABELS)
PAIRS = PairwiseConstraints.sample_from_labels(LABELS, 150, random_state=0)
SOURCES = {"labels": FROM_LABELS, "pairs": PAIRS}


@pytest.fixture(params=SOURCES)
def known(request):
    return KnownGroups(SOURCES[request.param])


def first(batches, n=20):
    return list(islice(iter(batches), n))


def rng(seed=0):
    return np.random.RandomState(seed)


def test_relation_is_the_closure(known):
    rows = rng().permutation(120)[:40]
    closed = known.constraints.closure().to_matrix().toarray()
    np.testing.assert_array_equal(known.relation(rows), closed[np.ix_(rows, rows)])
    np.testing.assert_array_equal(known.differ(rows, np.arange(120)), closed[rows] < 0)
    for group in range(len(known.members)):
        others = known.differing(group)
        assert sorted(set(known.groups[closed[known.members[group][0]] < 0])) == sorted(
            others
        )


def test_given_weights_stay_and_entailed_pairs_weigh_one():
    weighted = PairwiseConstraints(
        [(0, 1), (1, 2)], [(2, 3)], n_samples=5, must_link_weight=[3.0, 1.0]
    )
    relation = KnownGroups(weighted).relation(np.arange(5))
    assert relation[0, 1] == 3 and relation[0, 2] == 1 and relation[0, 3] == -1
    assert not relation[4].any()


def test_contradictions_leave_the_pairs_as_given():
    with_conflict = PairwiseConstraints([(0, 1), (1, 2)], [(0, 2), (0, 3)], n_samples=4)
    known = KnownGroups(with_conflict)
    relation = known.relation(np.arange(4))
    np.testing.assert_array_equal(relation, with_conflict.to_matrix().toarray())
    assert known.groups.tolist() == [0, 0, 0, 1] and known.rich.tolist() == [0]


def test_batches_of_classes_hold_some_of_each():
    batches = first(GroupBatches(KnownGroups(FROM_LABELS), 24, 4, rng()))
    for batch in batches:
        assert len(np.unique(batch.rows)) == len(batch.rows)
        assert set(np.bincount(LABELS[batch.rows])) <= {0, 4}
    assert {len(batch.rows) for batch in batches} <= {20, 24}
    # where there are few classes, more of each
    full = first(GroupBatches(KnownGroups(FROM_LABELS), 100, 4, rng()))
    assert all(set(np.bincount(LABELS[b.rows])) == {10} for b in full)


def test_every_batch_has_positives_and_negatives(known):
    for size in (8, 30, 200):
        for batch in first(GroupBatches(known, size, 4, rng())):
            relation = known.relation(batch.rows)
            assert 2 <= len(batch.rows) <= size
            assert ((relation > 0).any(1) & (relation < 0).any(1)).any()


def test_single_samples_come_as_negatives():
    labels = np.where(np.arange(60) < 20, np.arange(60) // 10, np.arange(60))
    batches = GroupBatches(
        KnownGroups(PairwiseConstraints.from_labels(labels)), 16, 4, rng()
    )
    seen = np.concatenate([batch.rows for batch in first(batches, 200)])
    assert set(seen) == set(range(60))


def test_one_class_among_single_samples():
    labels = np.where(np.arange(30) < 20, 0, np.arange(30))
    known = KnownGroups(PairwiseConstraints.from_labels(labels))
    for batch in first(GroupBatches(known, 12, 4, rng())):
        assert (known.relation(batch.rows) < 0).any()


def pool_with_embedding(known, seed=0):
    pool = TripletPool(known, 0.5, rng(seed))
    centers = rng(1).randn(10, 3)
    embedding = centers[LABELS[pool.rows]] + 0.7 * rng(2).randn(len(pool.rows), 3)
    pool.refresh(embedding)
    return pool, embedding


@pytest.mark.parametrize("kind", sorted(POOLS))
@pytest.mark.parametrize("has_embedding", [False, True])
def test_listed_triplets_are_known_to_be_such(known, kind, has_embedding):
    pool = TripletPool(known, 0.5, rng())
    if has_embedding:
        pool, _ = pool_with_embedding(known)
    triplets = pool.list_triplets(kind)
    closed = known.constraints.closure().to_matrix().toarray()
    assert len(triplets)
    a, p, n = triplets.T
    assert (closed[a, p] > 0).all() and (closed[a, n] < 0).all()
    assert set(a) == set(np.flatnonzero(np.isin(known.groups, known.rich)))


def test_kinds_of_negatives(known):
    pool, embedding = pool_with_embedding(known)
    place = pool.position
    closed = known.constraints.closure().to_matrix().toarray()
    d = np.linalg.norm(embedding[:, None] - embedding, axis=2)

    def nearest(anchor, rank, above=-1.0, below=np.inf):
        rows = [
            r
            for r in pool.rows
            if closed[anchor, r] < 0 and above < d[place[anchor], place[r]] < below
        ]
        rows.sort(key=lambda r: d[place[anchor], place[r]])
        return rows[min(rank, len(rows) - 1)] if rows else None

    anchors = pool.rows[pool.is_rich[pool.rows]]
    positives = pool._draw_positives(anchors)
    n_semihard = n_violating = 0
    for rank in range(3):
        closest = pool._pick_hard(anchors, positives, "closest", rank)
        assert (closest == [nearest(a, rank) for a in anchors]).all()
        semihard = pool._pick_hard(anchors, positives, "semihard", rank)
        for a, p, n in zip(anchors, positives, semihard, strict=True):
            dp = d[place[a], place[p]]
            beyond = nearest(a, rank, dp, dp + 0.5)
            assert n == (nearest(a, rank) if beyond is None else beyond)
            n_semihard += beyond is not None
        violating = pool._pick_hard(anchors, positives, "violating", rank)
        for a, p, n in zip(anchors, positives, violating, strict=True):
            nearer = [
                r
                for r in pool.rows
                if closed[a, r] < 0 and d[place[a], place[r]] < d[place[a], place[p]]
            ]
            nearer.sort(key=lambda r: -d[place[a], place[r]])  # noqa: B023
            fallback = nearest(a, rank)
            assert n == (nearer[min(rank, len(nearer) - 1)] if nearer else fallback)
            n_violating += bool(nearer)
    assert n_semihard and n_violating
    assert (pool.find_negatives(anchors) == [nearest(a, 0) for a in anchors]).all()


@pytest.mark.parametrize("kind", ["closest", "semihard", "violating", "kmeans"])
def test_lists_mix_different_hard_negatives_with_random_ones(kind):
    """Hard ones alone would repeat one negative; random ones alone would be easy."""
    y = np.repeat(np.arange(20), 30)
    pool = TripletPool(KnownGroups(PairwiseConstraints.from_labels(y)), 0.2, rng())
    embedding = rng().randn(600, 8).astype(np.float32)
    pool.refresh(embedding)
    triplets = pool.list_triplets(kind)
    anchors_and_negatives = {(a, n) for a, _, n in triplets.tolist()}
    assert len(anchors_and_negatives) > 0.9 * len(triplets)
    if kind == "closest":
        gaps = embedding[triplets[:, 0]] - embedding[triplets[:, 2]]
        d = np.linalg.norm(gaps, axis=1)
        random = pool.list_triplets("random")
        usual = np.median(
            np.linalg.norm(embedding[random[:, 0]] - embedding[random[:, 2]], axis=1)
        )
        assert 0.2 < np.mean(d > usual) < 0.3  # half of the half that is random


@pytest.mark.parametrize("n_classes", [2, 3, 10, 64])
def test_hard_batches_are_full(n_classes):
    y = np.repeat(np.arange(n_classes), 1500 // n_classes)
    known = KnownGroups(PairwiseConstraints.from_labels(y))
    pool = TripletPool(known, 1.0, rng())
    pool.refresh(rng().rand(len(y), 8))
    for batch in first(HardBatches(known, 256, rng(), pool.find_negatives)):
        assert 240 <= len(batch.rows) <= 256
        assert len(np.unique(batch.rows)) == len(batch.rows)


def test_batches_of_triplets_and_of_hard_negatives(known):
    pool, _ = pool_with_embedding(known)
    listed = pool.list_triplets("closest")
    known_triplets = set(map(tuple, listed))
    for batch in first(TripletBatches(30, rng(), lambda: listed)):
        a, p, n = batch.triplets
        found = zip(batch.rows[a], batch.rows[p], batch.rows[n], strict=True)
        assert len(batch.rows) <= 30 and set(found) <= known_triplets
    for batch in first(HardBatches(known, 20, rng(), pool.find_negatives)):
        relation = known.relation(batch.rows)
        assert len(batch.rows) <= 20
        assert (relation > 0).any() and (relation < 0).any()


def test_batches_of_pairs_hold_both_kinds_evenly():
    must_link = [(2 * i, 2 * i + 1) for i in range(6)]
    cannot_link = [(2 * i, 2 * i + 1) for i in range(10, 100)]
    pairs = PairwiseConstraints(must_link, cannot_link, n_samples=300)
    batches = PairBatches(pairs, 16, np.random.RandomState(0))
    seen = set()
    # 90 cannot-links in parts of four.
    assert batches.n_steps == 23
    for batch in islice(batches, 23):
        n_must = np.count_nonzero(batch.rows < 12)
        # Six must-links come in two parts of three.
        assert n_must == 6
        assert len(batch.rows) - n_must in (6, 8)
        assert len(np.unique(batch.rows)) == len(batch.rows)
        seen.update(batch.rows.tolist())
    assert seen == {i for pair in must_link + cannot_link for i in pair}


@pytest.mark.parametrize(("n_rich", "expected"), [(0, True), (2, True), (3, False)])
def test_pairs_are_drawn_where_most_groups_have_no_negative(n_rich, expected):
    must_link = [(2 * i, 2 * i + 1) for i in range(6)]
    cannot_link = [(20, 21), *((2 * i, 22) for i in range(n_rich))]
    pairs = PairwiseConstraints(must_link, cannot_link, n_samples=30)
    options = SimpleNamespace(loss="contrastive", sampling="classes")
    assert draws_pairs(options, KnownGroups(pairs)) is expected
    closed = KnownGroups(pairs.closure())
    assert not draws_pairs(options, closed)
    assert can_compare(options, closed) is (n_rich > 0)
    options.loss = "triplet"
    assert can_compare(options, KnownGroups(pairs)) is (n_rich > 0)


def test_what_hangs_together_is_held_out_of_scattered_pairs():
    rows = np.random.RandomState(0).permutation(400).reshape(-1, 2)
    pairs = PairwiseConstraints(rows[:60], rows[60:], n_samples=500)
    found = split(pairs, 0.25, 1, seed=0)
    assert len(found.held_out) == 100 and len(found.train) == 400
    parts = pairs[found.train], pairs[found.held_out]
    assert sum(part.n_pairs for part in parts) == 200
    assert all(part.n_must_link > 5 for part in parts)


def test_a_new_list_is_taken_up_at_once(known):
    pool, _ = pool_with_embedding(known)
    lists = [pool.list_triplets("random"), pool.list_triplets("closest")[:3]]
    batches = iter(TripletBatches(9, rng(), lambda: lists[0]))
    next(batches)
    lists.pop(0)
    batch = next(batches)
    assert set(batch.rows) <= set(lists[0].ravel())


def test_steps():
    assert count_steps(KnownGroups(FROM_LABELS), 16) == 8
    assert count_steps(KnownGroups(FROM_LABELS), 500) == 4
    # Ten thousand pairs take as long as a million.
    many = PairwiseConstraints.from_labels(np.arange(300_000) % 3)
    assert count_steps(KnownGroups(many), 256) == 1000


def test_whole_classes_are_held_out_where_there_are_enough():
    validation = split(FROM_LABELS, 0.3, 2, seed=0)
    held_out = set(LABELS[validation.held_out])
    assert len(held_out) == 3 and not held_out & set(LABELS[validation.train])
    assert len(validation.train) + len(validation.held_out) == 120
    assert validation.n_clusters == 6
    perfect = np.eye(10)[LABELS[validation.held_out]]
    perfect = perfect + 0.01 * rng().randn(*perfect.shape)
    assert validation.score(perfect) > validation.score(rng().randn(36, 3))


def test_samples_are_held_out_of_few_classes():
    few = PairwiseConstraints.from_labels(LABELS % 2)
    validation = split(few, 0.25, 1, seed=0)
    assert np.bincount((LABELS % 2)[validation.held_out]).tolist() == [15, 15]
    assert len(np.intersect1d(validation.train, validation.held_out)) == 0


def test_pairs_are_scored_by_their_distances():
    pairs = PairwiseConstraints.sample_from_labels(LABELS, 900, random_state=0)
    validation = split(pairs, 0.4, 1, seed=0)
    assert validation.groups is None
    assert validation.score(np.eye(10)[LABELS[validation.held_out]]) == 1


@pytest.mark.parametrize(
    ("clusters_per_class", "measure"),
    [(1, "nmi"), (1, "accuracy"), (3, "nmi"), (3, "accuracy")],
)
def test_score_of_the_part_held_out(clusters_per_class, measure):
    y = np.repeat(np.arange(8), 30)
    held_out = split(
        PairwiseConstraints.from_labels(y), 0.5, clusters_per_class, 0, measure=measure
    )
    classes = y[held_out.held_out]
    names = np.unique(classes)
    assert held_out.n_clusters == clusters_per_class * len(names)
    # Each class in three places: perfect only if clusters are kept apart.
    part = np.arange(len(classes)) % 3
    center = rng(3).randn(8, 3, 4)[classes, part]
    embedding = center + 0.01 * rng(4).randn(len(classes), 4)
    score = held_out.score(embedding)
    if (clusters_per_class, measure) == (3, "accuracy"):
        assert score == 1
    else:
        assert 0 < score < 0.95
    if (clusters_per_class, measure) == (1, "accuracy"):
        kmeans = KMeans(len(names), n_init=1, random_state=0).fit_predict(embedding)
        assert score == pytest.approx(clustering_accuracy_score(classes, kmeans))


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=9),
    st.integers(1, 7),
    st.integers(0, 1000),
)
def test_numbers_drawn_below_each_size_differ(sizes, n_drawn, seed):
    rng = np.random.RandomState(seed)
    drawn = draw_from_each(np.array(sizes), n_drawn, rng)
    assert len(drawn) == len(sizes)
    for size, numbers in zip(sizes, drawn, strict=True):
        assert len(numbers) == len(set(numbers.tolist())) == min(size, n_drawn)
        assert set(numbers.tolist()) <= set(range(size))


@pytest.mark.parametrize("size", [5, 20])
def test_all_sets_of_numbers_are_equally_likely(size):
    rng = np.random.RandomState(0)
    drawn = np.concatenate(draw_from_each(np.full(4000, size), 3, rng))
    counts = np.bincount(drawn, minlength=size)
    expected = len(drawn) / size
    # Four standard errors.
    assert np.abs(counts - expected).max() < 4 * expected**0.5
