"""Curves against the number of answers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.cluster import KMeans

from skpairclust.active import ActivePairLearner
from skpairclust.baselines import PCKMeans
from skpairclust.inspection import ActiveCurveDisplay
from tests.active.oracles import answer, make_blobs


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_running_share_of_first_guesses():
    X, y = make_blobs(20)
    learner = ActivePairLearner(PCKMeans(3), refit_every=10, n_queries=30)
    learner.set_params(random_state=0)
    learner.fit(X, oracle=answer(y))
    display = ActiveCurveDisplay.from_estimator(learner, window=4)
    told = [
        (number, row["answer"] == 1)
        for number, row in enumerate(learner.history_, 1)
        if row["is_first"]
    ]
    numbers, right = zip(*told, strict=True)
    expected = [np.mean(right[max(0, i - 3) : i + 1]) for i in range(len(right))]
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), numbers)
    np.testing.assert_allclose(display.lines_[0].get_ydata(), expected)
    # fits after 10, 20 and 30 answers, and the last one
    assert display.lines_[1].get_xdata().tolist() == [20, 30, 30]
    assert display.lines_[1].get_ydata()[-1] == 1
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == display.names


def test_scores_side_by_side_on_given_axes():
    _, ax = plt.subplots()
    scores = {"chosen": [0.8, 0.9], "random": [0.5, 0.6]}
    display = ActiveCurveDisplay.from_predictions([10, 20], scores, ax=ax)
    assert display.ax_ is ax
    assert [line.get_label() for line in ax.lines] == ["chosen", "random"]
    assert ax.lines[0].get_color() != ax.lines[1].get_color()


@pytest.mark.parametrize("learner", [KMeans(), ActivePairLearner(KMeans())])
def test_nothing_to_draw(learner):
    with pytest.raises(TypeError, match="has no answers to draw"):
        ActiveCurveDisplay.from_estimator(learner)
