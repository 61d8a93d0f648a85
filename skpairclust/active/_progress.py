"""Signs, without labels, of how much more answers would help."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skpairclust.metrics import clustering_accuracy_score

# Answers over which shares are taken.
WINDOW = 50


@dataclass(frozen=True)
class AnswerProgress:
    """How far the questions have come; `str` of it is a sentence for the reader.

    Attributes
    ----------
    n_answers : int
        Answers so far.
    n_groups : int
        Groups that the answers name.
    confirmed : float
        Share of "same" among the last first comparisons of samples, which are with the
        group that the model finds the likeliest; NaN if there are none. If it is high,
        the model already knows what it asks about.
    changed : float
        Share of samples whose cluster changed with the last `changed_by` answers, after
        the best matching of clusters; NaN before the second fit.
    changed_by : int
        Answers between the fits that `changed` compares.
    noise_rate : float
        Share of the pairs whose first answer did not last.

    Examples
    --------
    >>> from skpairclust.active import AnswerProgress
    >>> print(AnswerProgress(100, 12, 0.8, 0.004, 50, 0.0))
    The last 50 answers changed 0.4 % of the clusters. 80 % of the latest first guesses\
 were right.
    """

    n_answers: int
    n_groups: int
    confirmed: float
    changed: float
    changed_by: int
    noise_rate: float

    def __str__(self):
        parts = []
        if np.isfinite(self.changed):
            parts.append(
                f"The last {self.changed_by} answers changed {100 * self.changed:.1f} "
                "% of the clusters."
            )
        if np.isfinite(self.confirmed):
            parts.append(
                f"{100 * self.confirmed:.0f} % of the latest first guesses were right."
            )
        if self.noise_rate:
            parts.append(
                f"{100 * self.noise_rate:.1f} % of the pairs have a first answer that "
                "did not last."
            )
        return " ".join(parts) or f"{self.n_answers} answers, too few to say more."


class Refit(NamedTuple):
    """What a fit changed.

    Attributes
    ----------
    n_answers : int
        Answers at that time.
    agreement : float
        Share of samples in the same cluster as after the fit before, after the best
        matching of clusters; NaN for the first fit.
    labels : ndarray of shape (n_samples,) or None
        Clusters, of late fits only.
    """

    n_answers: int
    agreement: float
    labels: np.ndarray | None


def add_refit(refits, n_answers, labels):
    """Return the fits so far with one more, and only such labels as are needed."""
    agreement = float("nan")
    if refits:
        agreement = clustering_accuracy_score(refits[-1].labels, labels)
    refits = [*refits, Refit(n_answers, agreement, labels)]
    old = [r for r in refits if n_answers - r.n_answers >= WINDOW][:-1]
    return [r._replace(labels=None) for r in old] + refits[len(old) :]


def share_confirmed(history, window=WINDOW):
    """Return the share of "same" among the last first comparisons, NaN if none."""
    answers = [row["answer"] for row in history if row["is_first"] and row["answer"]]
    return float(np.mean(np.array(answers[-window:]) > 0)) if answers else float("nan")


def summarize(history, refits, n_groups, noise_rate):
    """Return the `AnswerProgress` of a history and of the fits so far.

    Parameters
    ----------
    history : list of dict
        As in `ActivePairLearner.history_`.
    refits : list of Refit
    n_groups : int
    noise_rate : float
    """
    changed, changed_by = float("nan"), 0
    if len(refits) > 1:
        last = refits[-1]
        # the latest fit that is a window of answers away, or the first
        earlier = next(r for r in refits if r.labels is not None)
        changed_by = last.n_answers - earlier.n_answers
        changed = 1 - clustering_accuracy_score(earlier.labels, last.labels)
    return AnswerProgress(
        len(history),
        n_groups,
        share_confirmed(history),
        changed,
        changed_by,
        noise_rate,
    )
