"""What a learner knows of its X: answers, questions that are out, what follows."""

from functools import cached_property

import numpy as np

from skpairclust.active._answers import (
    MOST_VOTES,
    agreement_with,
    as_constraints,
    count_votes,
    estimate_noise,
    keep_consistent,
)
from skpairclust.active._chains import count_joined, find_chain
from skpairclust.constraints._pairs import encode

# A model is surprised by an answer that it finds less likely.
SURPRISING = 0.2


class AnswerBook:
    """What the answers so far say together; a new one is made when they change.

    Parameters
    ----------
    history : list of dict
        With `i`, `j`, `answer`.
    known : PairwiseConstraints
        What was known before any answer.
    view : ModelView
        The current model.
    judged : dict of tuple to float
        How likely a pair belongs together according to the other answers, (i, j) with
        i < j. Of all other pairs, the model says it.
    """

    def __init__(self, history, known, view, judged):
        self._known, self._view, self._judged = known, view, judged
        pairs = np.array([(r["i"], r["j"]) for r in history], dtype=np.int64)
        answers = np.array([r["answer"] for r in history], dtype=np.int64)
        self.counted = count_votes(pairs.reshape(-1, 2), answers, known.n_samples)

    @cached_property
    def _judged_same(self):
        """How likely each pair belongs together by other answers, (m,), or NaN."""
        pairs = map(tuple, self.counted.pairs.tolist())
        same = [self._judged.get(pair, np.nan) for pair in pairs]
        return np.array(same, dtype=np.float64)

    @cached_property
    def votes(self):
        """The votes with ties broken, where other answers say it clearly."""
        same, lead = self._judged_same, self.counted.lead
        is_tied = (lead == 0) & (self.counted.n_votes > 0)
        verdict = np.where(same > 1 - SURPRISING, 1, np.where(same < SURPRISING, -1, 0))
        return self.counted._replace(lead=np.where(is_tied, verdict, lead))

    @cached_property
    def agreement(self):
        """How likely each majority is without these answers, (m,), NaN if unsaid.

        Answers that are not judged yet are new to the model as well.
        """
        same = self._judged_same.copy()
        left = np.isnan(same)
        same[left] = self._view.same(self.votes.pairs[left])
        return agreement_with(same, self.votes)

    @cached_property
    def kept(self):
        """Which pairs are kept, (m,) bool."""
        lead = np.where(self._is_refuted, 0, self.votes.lead)
        votes = self.votes._replace(lead=lead)
        return keep_consistent(votes, self.agreement, self._known)

    @property
    def _is_refuted(self):
        """Which majorities are likely wrong, given the other answers, (m,) bool.

        None, unless second answers have shown that there are wrong ones.
        """
        told = self.votes.n_votes > 0
        n_changed = (told & (np.sign(self.votes.lead) != self.votes.first)).sum()
        wrong = n_changed / max(told.sum(), 1)
        likely = agreement_with(self._judged_same, self.votes)
        # Bayes: as probable as the others find it, and so many more say it
        right = likely * (1 - wrong) ** np.abs(self.votes.lead)
        return right < (1 - likely) * wrong ** np.abs(self.votes.lead)

    @cached_property
    def constraints(self):
        """What is known, without contradictions."""
        return as_constraints(self.votes, self.kept, self._known)

    @property
    def noise_rate(self):
        """Share of the pairs whose first answer did not last."""
        return estimate_noise(self.votes, self.kept)

    @property
    def not_to_ask(self):
        """Pairs that were answered, but of which nothing is known, (m, 2)."""
        return self.votes.pairs[~self.kept]

    @cached_property
    def chains(self):
        """The shortest contradicting chain of each answer that is left out."""
        left_out = np.flatnonzero(~self.kept & (self.votes.lead != 0))
        must, cannot = self.constraints.must_link, self.constraints.cannot_link
        pairs, lead = self.votes.pairs[left_out], self.votes.lead[left_out]
        return [
            find_chain(pair, says > 0, must, cannot)
            for pair, says in zip(pairs, lead, strict=True)
        ]

    def contradicted(self):
        """Return ties, and one pair of each contradicting chain, (m, 2)."""
        tied = np.flatnonzero(self._may_ask & (self.votes.lead == 0))
        order = np.concatenate((tied, self._doubtful_links(self._may_ask)))
        first = np.sort(np.unique(order, return_index=True)[1])
        return self.votes.pairs[order[first]]

    def surprising(self, limit=SURPRISING, most_harm=np.inf):
        """Return pairs whose only answer is less likely, worst first, (m, 2).

        Also those of more harm: the samples that an answer joins to others, times the
        probability that it is wrong.
        """
        found = self._may_ask & (self.votes.n_votes == 1) & self.kept
        doubt = 1 - self.agreement
        harm = doubt * self._stakes
        found = np.flatnonzero(found & ((doubt > 1 - limit) | (harm > most_harm)))
        order = np.argsort(-harm[found], kind="stable")
        return self.votes.pairs[found[order]]

    @cached_property
    def _stakes(self):
        """How many samples each answer joins to others, at least 1, (m,)."""
        stakes = np.ones(len(self.votes.pairs))
        joins = np.flatnonzero(self.kept & (self.votes.lead > 0))
        links = self.votes.pairs[joins]
        stakes[joins] = np.maximum(count_joined(links), 1)
        return stakes

    @property
    def _may_ask(self):
        """Which pairs may be asked again, (m,) bool."""
        return (self.votes.n_votes > 0) & (self.votes.n_votes < MOST_VOTES)

    def worth_asking_again(self):
        """Return how much second answers teach, in (0, 1].

        1 as long as a third of them differ from the first, and less if they confirm it.
        """
        again = self.votes.n_votes > 1
        lasts = self.kept & (np.sign(self.votes.lead) == self.votes.first)
        n_changed = int((again & ~lasts).sum())
        return min(1.0, 3 * (n_changed + 1) / (int(again.sum()) + 2))

    def _doubtful_links(self, may_ask):
        """Return one pair of each chain: that with the fewest votes, least likely."""
        n_samples = self._known.n_samples
        keys = encode(self.votes.pairs, n_samples)
        order = np.argsort(keys)
        doubt = 1 - np.nan_to_num(self.agreement, nan=0.5)
        found = []
        for chain in self.chains:
            place = np.searchsorted(keys, encode(chain, n_samples), sorter=order)
            links = order[np.minimum(place, len(keys) - 1)]
            # links of what was known before are no answers
            links = links[keys[links] == encode(chain, n_samples)]
            links = links[may_ask[links]]
            if len(links):
                rank = np.lexsort((-doubt[links], self.votes.n_votes[links]))
                found.append(links[rank[0]])
        return np.array(found, dtype=np.int64)
