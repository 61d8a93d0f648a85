"""What constraints say of pairs, against a dense closure."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skpairclust import PairwiseConstraints
from skpairclust.active._knowledge import Knowledge
from tests.active.oracles import closure

N = 8
NONE = np.empty((0, 2), dtype=np.int64)


@st.composite
def consistent_pairs(draw):
    """Draw classes, and pairs that they answer."""
    y = np.array(draw(st.lists(st.integers(0, 3), min_size=N, max_size=N)))
    every = np.column_stack(np.triu_indices(N, 1))
    mask = draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every)))
    pairs = every[np.array(mask)]
    same = y[pairs[:, 0]] == y[pairs[:, 1]]
    return pairs[same], pairs[~same]


@settings(max_examples=60, deadline=None)
@given(consistent_pairs())
def test_knows_what_the_closure_knows(drawn):
    must, cannot = drawn
    known = closure(must, cannot, N)
    constraints = PairwiseConstraints(must, cannot, n_samples=N)
    every = np.column_stack(np.triu_indices(N, 1))
    for form in (constraints, constraints.closure()):
        knowledge = Knowledge(form, NONE)
        np.testing.assert_array_equal(knowledge.knows(every), known[*every.T] != 0)


@settings(max_examples=60, deadline=None)
@given(consistent_pairs())
def test_groups_are_components_of_named_samples(drawn):
    must, cannot = drawn
    knowledge = Knowledge(PairwiseConstraints(must, cannot, n_samples=N), NONE)
    known = closure(must, cannot, N)
    named = np.unique(np.concatenate((must, cannot)))
    np.testing.assert_array_equal(np.sort(knowledge.members), named)
    np.testing.assert_array_equal(np.flatnonzero(knowledge.is_named), named)
    for group in range(knowledge.n_groups):
        members = knowledge.members_of(group)
        same = np.flatnonzero(known[members[0]] == 1)
        assert set(members) == set(same) & set(named)
        apart = {
            int(knowledge.group_of(np.array([j]))[0])
            for j in named
            if known[members[0], j] == -1
        }
        assert set(knowledge.settled_with(group).tolist()) == apart


def test_new_pairs_are_about_different_groups():
    constraints = PairwiseConstraints([(0, 1), (2, 3)], [(0, 4)], n_samples=7)
    knowledge = Knowledge(constraints, NONE)
    pairs = [(0, 2), (1, 3), (1, 4), (0, 1), (5, 6), (6, 5), (5, 5), (4, 5)]
    assert knowledge.keep_new(pairs).tolist() == [[0, 2], [5, 6], [4, 5]]
    assert knowledge.keep_new(pairs, 1).tolist() == [[0, 2]]


def test_excluded_pairs_count_for_their_groups():
    constraints = PairwiseConstraints([(0, 1)], n_samples=4)
    knowledge = Knowledge(constraints, np.array([[1, 2]]))
    assert knowledge.knows(np.array([[0, 2]])).tolist() == [True]
    assert knowledge.knows(np.array([[0, 3]])).tolist() == [False]


def test_contradictions_are_passed_over():
    constraints = PairwiseConstraints([(0, 1), (1, 2)], [(0, 2)], n_samples=4)
    knowledge = Knowledge(constraints, NONE)
    assert knowledge.n_groups == 1
    assert not knowledge.settled.nnz


def test_samples_without_a_group():
    knowledge = Knowledge(PairwiseConstraints(n_samples=3), NONE)
    assert knowledge.group_of(np.array([0, 2])).tolist() == [-1, -1]
