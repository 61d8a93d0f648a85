"""Components, conflicts, closure and relation blocks of constraints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skpairclust.constraints import ConstraintConflicts, PairwiseConstraints
from skpairclust.constraints._views import without_implied
from tests.constraints.oracles import (
    as_dicts,
    build,
    constraints,
    explicit,
    naive_block,
    naive_closure,
    naive_components,
    with_rows,
)

# Graph


@given(constraints())
def test_components(c):
    must, _ = as_dicts(c)
    assert c.components().tolist() == naive_components(must, c.n_samples)


@given(explicit())
def test_conflicts_of_pairs(parts):
    c = build(*parts)
    must, cannot = as_dicts(c)
    label = naive_components(must, c.n_samples)
    inside = {(a, b) for a, b in cannot if label[a] == label[b]}
    found = c.conflicts()
    assert {*map(tuple, found.direct.tolist())} == must.keys() & cannot.keys()
    assert {*map(tuple, found.entailed.tolist())} == inside - must.keys()
    assert len(found) == len(inside) and bool(found) == bool(inside)


@given(constraints(n_relations=3))
def test_conflicts_of_groups(c):
    must, cannot = as_dicts(c)
    label = naive_components(must, c.n_samples)
    inside = {(a, b) for a, b in cannot if label[a] == label[b]}
    found = c.conflicts()
    direct, entailed = (
        {*map(tuple, pairs.tolist())} for pairs in (found.direct, found.entailed)
    )
    # one pair may stand for two groups
    assert direct <= must.keys() & cannot.keys()
    assert entailed <= inside - must.keys()
    assert bool(direct) == bool(must.keys() & cannot.keys())
    assert bool(found) == bool(inside)
    assert len(found.direct) == len(direct) and len(found.entailed) == len(entailed)
    # every explicit pair in conflict is named itself
    explicit_pairs = {*map(tuple, c._cannot_link.tolist())}
    assert explicit_pairs & inside <= direct | entailed
    explicit_pairs = {*map(tuple, c._must_link.tolist())}
    assert explicit_pairs & cannot.keys() <= direct


def test_conflicts_say_what_they_are():
    c = PairwiseConstraints([(0, 1), (1, 2)], [(0, 1), (0, 2)], n_samples=3)
    found = c.conflicts()
    assert isinstance(found, ConstraintConflicts)
    expected = "ConstraintConflicts(direct=1 [(0, 1)], entailed=1 [(0, 2)])"
    assert repr(found) == expected
    assert repr(c[[0]].conflicts()) == "ConstraintConflicts(direct=0, entailed=0)"


@given(constraints())
def test_closure(c):
    must, cannot = as_dicts(c)
    if c.conflicts():
        with pytest.raises(ValueError, match=r"closure.*conflicts\(\)"):
            c.closure()
        return
    closed = c.closure()
    expected = naive_closure(must, cannot, c.n_samples)
    assert tuple(map(set, as_dicts(closed))) == expected
    assert (closed.n_must_link, closed.n_cannot_link) == tuple(map(len, expected))
    assert all(weight == 1 for d in as_dicts(closed) for weight in d.values())
    assert closed.closure() == closed
    assert len(closed._relations) <= 1 and not len(closed._must_link)
    listed = PairwiseConstraints(
        closed.must_link, closed.cannot_link, n_samples=c.n_samples
    )
    assert listed.closure() == closed


@given(constraints(n_relations=3))
def test_without_the_implied_pairs_a_closure_is_the_same(c):
    fewer = without_implied(c)
    assert fewer.n_must_link <= c.n_must_link
    assert fewer.n_cannot_link <= c.n_cannot_link
    try:
        closed = c.closure()
    except ValueError:
        # conflicts stay
        with pytest.raises(ValueError, match="conflict"):
            fewer.closure()
        return
    assert fewer.closure() == closed


@given(st.integers(2, 12), st.data())
def test_closure_of_sampled_labels(n_samples, data):
    # labels never contradict: the closure always exists
    y = data.draw(st.lists(st.integers(-1, 3), min_size=n_samples, max_size=n_samples))
    n_known = sum(label >= 0 for label in y)
    n_pairs = data.draw(st.integers(0, n_known * (n_known - 1) // 2))
    c = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=0)
    c |= PairwiseConstraints.from_labels(np.where(np.arange(n_samples) % 2, y, -1))
    must, cannot = as_dicts(c)
    expected = naive_closure(must, cannot, n_samples)
    assert tuple(map(set, as_dicts(c.closure()))) == expected


def test_a_long_chain_closes():
    n_samples = 100_000
    chain = np.column_stack((np.arange(n_samples - 1), np.arange(1, n_samples)))
    c = PairwiseConstraints(chain, n_samples=n_samples).closure()
    assert c.n_must_link == n_samples * (n_samples - 1) // 2
    assert c[[0, n_samples - 1]].must_link.tolist() == [[0, 1]]


def test_tracks_and_labels_meet_at_scale():
    # two relations with many groups: pairs of all groups would not fit
    n_samples = 200_000
    y = np.arange(n_samples) % 10
    tracks = np.arange(n_samples) // 10 * 10 + y
    c = PairwiseConstraints.from_labels(y)
    c |= PairwiseConstraints.from_sequences(tracks, times=np.arange(n_samples) // 2)
    assert not c.conflicts()
    crossing = PairwiseConstraints([(0, 1)], n_samples=n_samples) | c
    assert crossing.conflicts().direct.tolist() == [[0, 1]]


# Blocks


@given(with_rows())
def test_relation_block(known_and_rows):
    c, rows = known_and_rows
    must, cannot = as_dicts(c)
    block = c.relation_block(rows)
    assert block.dtype == np.float32 and block.shape == (len(rows), len(rows))
    assert_allclose(block, naive_block(must, cannot, rows).reshape(block.shape))
    whole = c.relation_block(slice(None))
    assert_allclose(whole, c.to_matrix().toarray())


def test_relation_block_refuses_repeated_rows():
    c = PairwiseConstraints([(0, 1)], n_samples=4)
    with pytest.raises(ValueError, match="rows are repeated: 1"):
        c.relation_block([1, 0, 1])


@given(explicit(10), st.data())
def test_induced_pairs(parts, data):
    c = build(*parts)
    # more batches than a mask has bits are done in blocks
    n_batches = data.draw(st.sampled_from([0, 1, 3, 130]))
    seed = data.draw(st.integers(0, 99))
    rng = np.random.default_rng(seed)
    batches = [rng.permutation(10)[: rng.integers(11)] for _ in range(n_batches)]
    offsets = np.cumsum([0, *map(len, batches)])
    rows = np.concatenate([np.empty(0, dtype=np.int64), *batches])
    found = c.induced_pairs(rows, offsets)
    assert (found.i < found.j).all()
    blocks = np.zeros((n_batches, 10, 10))
    np.add.at(blocks, found[:3], found.weight)
    n_pairs = 0
    must, cannot = as_dicts(c)
    for block, batch in zip(blocks, batches, strict=True):
        expected = np.triu(naive_block(must, cannot, batch))
        assert_allclose(block[: len(batch), : len(batch)], expected)
        inside = {(a, b) for a, b in {*must, *cannot} if {a, b} <= {*batch.tolist()}}
        n_pairs += len(inside)
    assert len(found.weight) == n_pairs


def test_induced_pairs_knows_explicit_pairs_only():
    c = PairwiseConstraints.from_labels([0, 0, 1])
    found = c.induced_pairs(np.arange(3), np.array([0, 3]))
    assert [len(part) for part in found] == [0, 0, 0, 0]
