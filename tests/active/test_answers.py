"""Votes, and which answers can be kept together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skpairclust import PairwiseConstraints
from skpairclust.active._answers import (
    as_constraints,
    check_answers,
    count_votes,
    estimate_noise,
    keep_consistent,
)
from skpairclust.active._chains import count_joined, find_chain
from tests.active.oracles import closure

N = 6
rows = st.tuples(
    st.integers(0, N - 1), st.integers(0, N - 1), st.sampled_from([1, -1, 0])
)
answered = st.lists(rows.filter(lambda row: row[0] != row[1]), max_size=25)


def votes_of(answers):
    """Return the votes of rows (i, j, answer)."""
    table = np.array(answers, dtype=np.int64).reshape(-1, 3)
    return count_votes(table[:, :2], table[:, 2], N)


@settings(max_examples=100, deadline=None)
@given(answered)
def test_votes_are_counted_one_by_one(answers):
    lead, n_votes, first = {}, {}, {}
    for i, j, answer in answers:
        pair = min(i, j), max(i, j)
        lead[pair] = lead.get(pair, 0) + answer
        n_votes[pair] = n_votes.get(pair, 0) + (answer != 0)
        first[pair] = first.get(pair, 0) or answer
    votes = votes_of(answers)
    assert votes.pairs.tolist() == [list(pair) for pair in lead]
    assert votes.lead.tolist() == list(lead.values())
    assert votes.n_votes.tolist() == list(n_votes.values())
    assert votes.first.tolist() == list(first.values())


@settings(max_examples=150, deadline=None)
@given(answered, st.integers(0, 3))
def test_kept_answers_agree_and_no_other_one_fits(answers, n_classes):
    votes = votes_of(answers)
    y = np.arange(N) % n_classes if n_classes else np.full(N, -1)
    y[N // 2 :] = -1
    known = PairwiseConstraints.from_labels(y)
    kept = keep_consistent(votes, np.full(len(votes.pairs), np.nan), known)
    constraints = as_constraints(votes, kept, known)
    assert not constraints.conflicts()
    assert not (kept & (votes.lead == 0)).any()
    every = closure(constraints.must_link, constraints.cannot_link, N)
    for number in np.flatnonzero(~kept & (votes.lead != 0)):
        i, j = votes.pairs[number]
        # what is left out is known to be otherwise
        assert every[i, j] == -np.sign(votes.lead[number])


def test_the_weakest_answer_of_a_chain_is_left_out():
    twice = [(0, 1, 1), (0, 1, 1), (1, 2, 1), (0, 2, -1), (0, 2, -1)]
    votes = votes_of(twice)
    known = PairwiseConstraints(n_samples=N)
    kept = keep_consistent(votes, np.full(3, np.nan), known)
    assert votes.pairs[~kept].tolist() == [[1, 2]]
    # of equal numbers of votes, what the model doubts most
    votes = votes_of([(0, 1, 1), (1, 2, 1), (0, 2, -1)])
    kept = keep_consistent(votes, np.array([0.1, 0.9, 0.9]), known)
    assert votes.pairs[~kept].tolist() == [[0, 1]]
    # and without a model, the last
    kept = keep_consistent(votes, np.full(3, np.nan), known)
    assert votes.pairs[~kept].tolist() == [[0, 2]]


def test_what_was_known_before_is_kept():
    known = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=N)
    votes = votes_of([(0, 2, 1), (0, 2, 1), (2, 3, 1), (0, 3, -1)])
    kept = keep_consistent(votes, np.full(3, np.nan), known)
    assert kept.tolist() == [False, True, True]


def test_noise_is_the_share_that_did_not_last():
    votes = votes_of([(0, 1, 1), (0, 2, -1), (0, 2, 1), (0, 2, 1), (3, 4, 0)])
    kept = keep_consistent(votes, np.full(3, np.nan), PairwiseConstraints(n_samples=N))
    assert estimate_noise(votes, kept) == 0.5
    assert estimate_noise(votes_of([]), np.zeros(0, dtype=bool)) == 0


def shortest(pair, is_same, must, cannot):
    """Return the number of other links in the shortest contradicting chain."""
    gaps = np.full((N, N), np.inf)
    gaps[np.arange(N), np.arange(N)] = 0
    for i, j in must:
        gaps[i, j] = gaps[j, i] = 1
    for k in range(N):
        gaps = np.minimum(gaps, gaps[:, [k]] + gaps[[k]])
    i, j = pair
    if not is_same:
        return gaps[i, j]
    both = [*cannot, *((b, a) for a, b in cannot)]
    return min([gaps[i, a] + 1 + gaps[b, j] for a, b in both], default=np.inf)


pairs = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(
        lambda pair: pair[0] != pair[1]
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(pairs, pairs, st.booleans())
def test_chains_are_the_shortest(must, cannot, is_same):
    must, cannot = (np.array(p, dtype=np.int64).reshape(-1, 2) for p in (must, cannot))
    chain = find_chain((0, N - 1), is_same, must, cannot)
    assert chain[0].tolist() == [0, N - 1]
    links = {frozenset(link) for link in chain[1:].tolist()}
    length = shortest((0, N - 1), is_same, must, cannot)
    assert len(chain) - 1 == (length if np.isfinite(length) else 0)
    known = {frozenset(link) for link in (*must.tolist(), *cannot.tolist())}
    assert links <= known


def test_what_a_link_joins_is_the_smaller_side_without_it():
    links = np.array([(0, 1), (1, 2), (2, 7), (7, 9), (9, 4), (3, 5), (7, 8)])
    found = count_joined(links)
    for number, (i, j) in enumerate(links.tolist()):
        rest = np.delete(links, number, axis=0)
        same = closure(rest, [], 10) == 1
        assert found[number] == min(same[i].sum(), same[j].sum())
    assert count_joined(links[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("answers", "error", "match"),
    [
        (["yes", "no"], TypeError, "answers must be numbers.*got 'yes', 'no'"),
        ([True, False], TypeError, r"np.where\(same, 1, -1\)"),
        ([None, 1], TypeError, "must be numbers"),
        (None, ValueError, r"one answer per pair, in shape \(2,\); got None"),
        (True, ValueError, "got True"),
        ([1], ValueError, r"in shape \(1,\)"),
        ([1, 1, -1], ValueError, r"in shape \(3,\)"),
        ([[1, -1]], ValueError, r"in shape \(1, 2\)"),
        ([1, 2], ValueError, "got 2 at 1"),
        ([1, 0.5], ValueError, "got 0.5 at 1"),
        ([1, np.nan], ValueError, "got nan at 1"),
        ([1, [2, 3]], ValueError, "flat list"),
    ],
)
def test_wrong_answers(answers, error, match):
    with pytest.raises(error, match=match):
        check_answers(answers, 2)


@pytest.mark.parametrize(
    "answers",
    [
        [1, -1],
        np.array([1.0, -1.0]),
        pd.Series([1, -1], index=[7, 8]),
        pd.array([1, -1], dtype="Int64"),
        (np.int8(1), np.int8(-1)),
    ],
)
def test_forms_of_answers(answers):
    assert check_answers(answers, 2).tolist() == [1, -1]
