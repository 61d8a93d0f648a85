"""Answers as votes: what the majority says, and which of it can be kept together."""

from typing import NamedTuple

import numpy as np

from skpairclust.active._knowledge import Knowledge
from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._pairs import decode, encode, first_few

# Nobody is asked about a pair more often.
MOST_VOTES = 3
_MEANING = "1 for same, -1 for different and 0 for cannot tell"


def check_answers(answers, n_pairs, name="answers"):
    """Return answers as integers, or raise an error that says what they must be.

    Parameters
    ----------
    answers : array-like of shape (n_pairs,)
    n_pairs : int
    name : str

    Returns
    -------
    ndarray of shape (n_pairs,), int64
        In {1, -1, 0}.

    Raises
    ------
    TypeError
        If they are not numbers, or truth values.
    ValueError
        If their number or a value is wrong.
    """
    try:
        found = np.asarray(answers)
    except ValueError as error:
        raise ValueError(f"{name} must be a flat list of {_MEANING}.") from error
    if found.ndim != 1 or len(found) != n_pairs:
        raise ValueError(
            f"{name} must hold one answer per pair, in shape ({n_pairs},); got "
            f"{answers!r:.80} in shape {found.shape}. Give {_MEANING}."
        )
    if found.dtype == object:
        # pandas' nullable integers arrive as objects: let numpy look again
        found = np.array(found.tolist())
    if n_pairs and found.dtype.kind not in "iuf":
        raise TypeError(
            f"{name} must be numbers, {_MEANING}; got {first_few(found, 3)} of type "
            f"{type(found.tolist()[0]).__name__}. Turn truth values into numbers with "
            "`np.where(same, 1, -1)`."
        )
    is_bad = ~np.isin(found, (1, -1, 0))
    if is_bad.any():
        raise ValueError(
            f"{name} must be {_MEANING}; got {first_few(found[is_bad])} at "
            f"{first_few(np.flatnonzero(is_bad))}."
        )
    return found.astype(np.int64)


def check_positions(positions, n_answers):
    """Return positions in a history as a set of int, or raise.

    Parameters
    ----------
    positions : array-like of shape (m,)
    n_answers : int
        Length of the history.
    """
    found = np.asarray(positions)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise TypeError(
            f"positions={positions!r:.80} must be a flat list of integers, the "
            "positions of answers in `history_`."
        )
    is_bad = (found < 0) | (found >= n_answers)
    if is_bad.any():
        raise ValueError(
            f"positions={first_few(found[is_bad])} are not in `history_`, which has "
            f"{n_answers} answers, numbered from 0."
        )
    if len(np.unique(found)) < len(found):
        raise ValueError(f"positions={positions!r:.80} name an answer twice.")
    return set(found.tolist())


def mark_repeats(history):
    """Return rows of a history that say whether their pair was answered before."""
    told, rows = set(), []
    for row in history:
        pair = row["i"], row["j"]
        rows.append({**row, "is_repeat": pair in told})
        told.add(pair)
    return rows


class Votes(NamedTuple):
    """All answers to each pair, in the order in which pairs were first answered.

    Attributes
    ----------
    pairs : ndarray of shape (m, 2), int64
        i < j.
    lead : ndarray of shape (m,), int64
        Number of "same" minus number of "different".
    n_votes : ndarray of shape (m,), int64
        Number of answers other than "cannot tell".
    first : ndarray of shape (m,), int64
        The first such answer, 0 for none.
    """

    pairs: np.ndarray
    lead: np.ndarray
    n_votes: np.ndarray
    first: np.ndarray


def count_votes(pairs, answers, n_samples):
    """Return the `Votes` that answers are.

    Parameters
    ----------
    pairs : ndarray of shape (a, 2), int64
    answers : ndarray of shape (a,), int64
    n_samples : int
    """
    keys, start, place = np.unique(
        encode(pairs, n_samples), return_index=True, return_inverse=True
    )
    order = np.argsort(start, kind="stable")
    rank = np.argsort(order)
    place = rank[place]
    lead = np.zeros(len(keys), dtype=np.int64)
    n_votes, first = lead.copy(), lead.copy()
    np.add.at(lead, place, answers)
    np.add.at(n_votes, place, answers != 0)
    told = np.flatnonzero(answers)[::-1]
    # of repeated indices the last assignment stays, so go backwards
    first[place[told]] = answers[told]
    return Votes(decode(keys[order], n_samples), lead, n_votes, first)


def keep_consistent(votes, agreement, known):
    """Return which answers are kept so that none contradicts the others.

    The best supported answers come first, and each is kept if it agrees with those
    before it. So what is left out of a contradicting chain is its weakest answer.

    Parameters
    ----------
    votes : Votes
    agreement : ndarray of shape (m,)
        How likely the model finds what the majority says; NaN if there is no model.
    known : PairwiseConstraints
        What was known before any answer. It is kept.

    Returns
    -------
    ndarray of shape (m,), bool
        False also for pairs without a majority.
    """
    base = Knowledge(known, np.empty((0, 2), dtype=np.int64))
    groups = _Groups(base)
    doubt = 1 - np.nan_to_num(agreement, nan=0.5)
    # in tenths: small differences between likely answers say nothing
    order = np.lexsort((np.floor(10 * doubt), -np.abs(votes.lead)))
    kept = np.zeros(len(votes.pairs), dtype=bool)
    nodes = base.component[votes.pairs]
    for number in order:
        lead = votes.lead[number]
        if lead:
            add = groups.join if lead > 0 else groups.part
            kept[number] = add(*nodes[number].tolist())
    return kept


class _Groups:
    """Groups of nodes that are joined or kept apart one pair at a time."""

    def __init__(self, base):
        self.leader = {}
        # the leaders of groups that each leader's group is apart from
        self.apart = {}
        names = base.component[base.members[base.starts]]
        for group in np.flatnonzero(np.diff(base.settled.indptr)):
            others = names[base.settled_with(group)].tolist()
            self.apart[int(names[group])] = set(others)

    def find(self, node):
        """Return the leader of a node's group."""
        root = node
        while (up := self.leader.get(root, root)) != root:
            root = up
        while node != root:
            self.leader[node], node = root, self.leader.get(node, node)
        return root

    def join(self, i, j):
        """Make two groups one, or return False if they are apart."""
        i, j = self.find(i), self.find(j)
        if i == j:
            return True
        if j in self.apart.get(i, ()):
            return False
        if len(self.apart.get(i, ())) < len(self.apart.get(j, ())):
            i, j = j, i
        self.leader[j] = i
        for other in self.apart.pop(j, ()):
            self.apart[other].discard(j)
            self.apart[other].add(i)
            self.apart.setdefault(i, set()).add(other)
        return True

    def part(self, i, j):
        """Keep two groups apart, or return False if they are one."""
        i, j = self.find(i), self.find(j)
        if i == j:
            return False
        self.apart.setdefault(i, set()).add(j)
        self.apart.setdefault(j, set()).add(i)
        return True


def as_constraints(votes, kept, known):
    """Return what was known and what the kept answers say, as constraints."""
    return known | PairwiseConstraints(
        votes.pairs[kept & (votes.lead > 0)],
        votes.pairs[kept & (votes.lead < 0)],
        n_samples=known.n_samples,
    )


def agreement_with(same, votes):
    """Return how likely a model finds what the majority of each pair says."""
    return np.where(votes.lead > 0, same, 1 - same)


def estimate_noise(votes, kept):
    """Return the share of pairs whose first answer did not last."""
    told = votes.n_votes > 0
    if not told.any():
        return 0.0
    lasting = kept & (np.sign(votes.lead) == votes.first)
    return float(1 - lasting[told].mean())
