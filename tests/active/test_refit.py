"""What a clusterer is fitted to between questions and in the end."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClusterMixin

from skpairclust import PairwiseConstraints
from skpairclust.active import ActivePairLearner
from skpairclust.active._refit import with_implied
from tests.active.oracles import make_blobs


class Listener(ClusterMixin, BaseEstimator):
    """Keeps what it is fitted to."""

    heard = []

    def fit(self, X, y=None):
        self.heard.append(y)
        self.labels_ = np.zeros(len(X), dtype=int)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


@pytest.mark.parametrize("refit", ["cold", "final"])
def test_answers_and_what_follows_from_them(refit):
    X, _ = make_blobs(30, 3)
    Listener.heard.clear()
    learner = ActivePairLearner(Listener(), refit=refit, random_state=0).start(X)
    learner.tell([[0, 1], [1, 2], [2, 3]], [1, 1, -1])
    learner.update()
    block = Listener.heard[-1].relation_block(np.arange(5))
    # All pairs among 0, 1, 2 and between them and 3 are known, those answered twice.
    expected = np.zeros((5, 5))
    expected[:3, :3] = 1 - np.eye(3)
    expected[:3, 3] = expected[3, :3] = -1
    for i, j in ((0, 1), (1, 2), (2, 3)):
        expected[i, j] *= 2
        expected[j, i] *= 2
    np.testing.assert_array_equal(block, expected)


def test_labels_alone_are_what_they_were():
    """They say how many classes there are, once."""
    labels = np.array([0, 1, 2, 0, -1, -1])
    known = PairwiseConstraints.from_labels(labels)
    assert with_implied(known) == known.closure()
    answered = known | PairwiseConstraints([[0, 3]], None, n_samples=6)
    block = with_implied(answered).relation_block(np.arange(6))
    assert block[0, 3] == 2 and block[0, 1] == -1
