"""Scikit-learn's own checks of the classifier of pairs, as it comes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans
from skpairclust.model_selection import PairClassifier

Y = np.arange(30) % 2
X = np.random.RandomState(0).randn(30, 2) + 4 * Y[:, None]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_stock_checks():
    for result in check_estimator(PairClassifier(COPKMeans(), X), on_skip=None):
        assert result["status"] in ("passed", "skipped"), result


@pytest.mark.parametrize("make", [list, np.array, pd.DataFrame])
def test_pairs_and_classes_in_every_form(make):
    c = PairwiseConstraints.sample_from_labels(Y, 40, random_state=0)
    pairs = np.concatenate((c.must_link, c.cannot_link))
    same = np.repeat([1, -1], [c.n_must_link, c.n_cannot_link])
    classifier = PairClassifier(COPKMeans(2, random_state=0), X)
    expected = classifier.fit(pairs, same).predict(pairs)
    weight = pd.Series(np.ones(40), index=range(40, 0, -1))
    given = pd.Series(same, index=range(40, 0, -1))
    made = classifier.fit(make(pairs.tolist()), given, sample_weight=weight)
    assert made.predict(make(pairs.tolist())).tolist() == expected.tolist()
    cv = StratifiedKFold(4, shuffle=True, random_state=0)
    assert cross_val_score(classifier, pairs, same, cv=cv).mean() > 0.9
