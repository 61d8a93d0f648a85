"""Place samples: compare each with known groups until it has found its own."""

from typing import NamedTuple

import numpy as np

from skpairclust.active._groups_view import GroupsView, distances

# Groups at most that are looked at for questions about two groups.
_MOST_GROUPS = 1000


class Standing(NamedTuple):
    """Which groups stand, and which samples are still looking for theirs.

    Attributes
    ----------
    established : ndarray of shape (e,), int64
        Groups of two samples or more, and samples that were compared with enough
        established groups in vain, so that they are the first of a group.
    open : ndarray of shape (o,), int64
        The other groups. Each holds one sample.
    """

    established: np.ndarray
    open: np.ndarray


def find_standing(knowledge, max_tries):
    """Tell established groups from samples that are still looking for theirs."""
    degrees = np.diff(knowledge.settled.indptr)
    is_established = knowledge.sizes > 1
    n_established = int(is_established.sum())
    singles = np.flatnonzero(~is_established)
    # those that were compared most come first: the others were compared with them
    for group in singles[np.argsort(-degrees[singles], kind="stable")]:
        n_tries = is_established[knowledge.settled_with(group)].sum()
        if n_tries >= min(max_tries, n_established):
            is_established[group] = True
            n_established += 1
    return Standing(np.flatnonzero(is_established), np.flatnonzero(~is_established))


def first_comparisons(view, rows):
    """Return pairs of each row and the nearest of the rows before it.

    Parameters
    ----------
    view : ModelView
    rows : ndarray of shape (n_rows,), int64

    Returns
    -------
    ndarray of shape (n_rows - 1, 2), int64
    """
    features = view.features(rows)
    nearest = [
        distances(features[i : i + 1], features[:i])[0].argmin()
        for i in range(1, len(rows))
    ]
    return np.column_stack((rows[nearest], rows[1:]))


def compare(groups_view, knowledge, rows):
    """Return pairs of each row and a member of its likeliest group that is left.

    Parameters
    ----------
    groups_view : GroupsView
    knowledge : Knowledge
    rows : ndarray of shape (n_rows,), int64

    Returns
    -------
    ndarray of shape (at most n_rows, 2), int64
        (member, row); rows for which no group is left are passed over.
    """
    if not len(rows):
        return np.empty((0, 2), dtype=np.int64)
    scores = score_left(groups_view, knowledge, rows)
    best = scores.argmax(axis=1)
    left = np.isfinite(scores[np.arange(len(rows)), best])
    rows, best = rows[left], best[left]
    return np.column_stack((groups_view.nearest_members(rows, best), rows))


def score_left(groups_view, knowledge, rows):
    """Return how likely each row is in each group that is left for it.

    Minus infinity for the groups that a row is known to be in, or not.
    """
    scores, groups = groups_view.scores(rows), groups_view.groups
    place = np.full(knowledge.n_groups, -1)
    place[groups] = np.arange(len(groups))
    for i, group in enumerate(knowledge.group_of(rows)):
        if group >= 0:
            gone = place[np.append(knowledge.settled_with(group), group)]
            scores[i, gone[gone >= 0]] = -np.inf
    return scores


def likely_one(groups_view, knowledge, n_pairs):
    """Return pairs from two groups that the model thinks are one, likeliest first.

    A group is in one pair at most.
    """
    if groups_view.probabilities is None or n_pairs < 1:
        return np.empty((0, 2), dtype=np.int64)
    sizes = knowledge.sizes[groups_view.groups]
    kept = np.argsort(-sizes, kind="stable")[:_MOST_GROUPS]
    p = groups_view.probabilities[kept]
    same = np.triu(p @ p.T, 1)
    left, right = np.nonzero(same > 0.5)
    order = np.argsort(-same[left, right], kind="stable")
    taken, targets, rows = set(), [], []
    for i, j in zip(left[order], right[order], strict=True):
        if i in taken or j in taken or len(rows) == n_pairs:
            continue
        group, other = groups_view.groups[kept[[i, j]]]
        if group not in knowledge.settled_with(other):
            taken |= {i, j}
            targets.append(kept[i])
            rows.append(knowledge.members_of(other)[0])
    rows = np.array(rows, dtype=np.int64)
    return np.column_stack((groups_view.nearest_members(rows, targets), rows))


def place_samples(view, knowledge, n_queries, max_tries, propose_rows):
    """Return questions that place samples.

    Samples that were compared in vain go on first. Then come groups that the model
    thinks are one, and then new samples.

    Parameters
    ----------
    view : ModelView
    knowledge : Knowledge
    n_queries : int
    max_tries : int
        Comparisons after which a sample is the first of a new group.
    propose_rows : callable
        ``propose_rows(groups_view, n_rows)`` returns new rows in order;
        `groups_view` is None while there are no groups.

    Returns
    -------
    ndarray of shape (m, 2), int64
    """
    standing = find_standing(knowledge, max_tries)
    if not len(standing.established):
        return first_comparisons(view, propose_rows(None, n_queries + 1))
    groups_view = GroupsView(view, knowledge, standing.established)
    open_rows = knowledge.members[knowledge.starts[standing.open]]
    parts = [compare(groups_view, knowledge, open_rows[:n_queries])]
    n_left = n_queries - len(parts[0])
    parts.append(likely_one(groups_view, knowledge, n_left // 2))
    n_left -= len(parts[1])
    if n_left > 0:
        rows = propose_rows(groups_view, n_left)
        parts.append(compare(groups_view, knowledge, rows))
    return np.concatenate(parts)
