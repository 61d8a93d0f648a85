"""The temperature of the probabilities: recovered, bounded by the prior, useful."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._calibration import DEFAULT_TEMPERATURE, fit_temperature


def draw(temperature, n_pairs, seed=0, n_samples=4000, k=5):
    """Return too sure probabilities, and pairs drawn from the right ones."""
    rng = np.random.RandomState(seed)
    logits = 3 * rng.randn(n_samples, k)
    classes = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    pairs = PairwiseConstraints.sample_from_labels(classes, n_pairs, random_state=seed)
    return softmax(temperature * logits, axis=1), pairs


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0, 4.0])
def test_many_pairs_recover_the_temperature(temperature):
    probabilities, pairs = draw(temperature, 20_000)
    assert fit_temperature(probabilities, pairs) == pytest.approx(temperature, rel=0.1)


def test_labels_are_pairs_too():
    rng = np.random.RandomState(0)
    logits = 3 * rng.randn(4000, 5)
    classes = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    known = PairwiseConstraints.from_labels(classes)
    found = fit_temperature(softmax(3 * logits, axis=1), known)
    assert found == pytest.approx(3, rel=0.1)


def test_few_pairs_stay_near_the_typical_temperature():
    probabilities, pairs = draw(6.0, 3)
    assert 1 < fit_temperature(probabilities, pairs) < 2.5


def test_wrong_pairs_are_expected_at_their_rate():
    probabilities, _ = draw(2.0, 1)
    rng = np.random.RandomState(0)
    logits = np.log(probabilities) / 2
    classes = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    pairs = PairwiseConstraints.sample_from_labels(
        classes, 20_000, noise=0.2, random_state=0
    )
    told = fit_temperature(probabilities, pairs, flip_rate=0.2)
    assert told == pytest.approx(2, rel=0.15)
    assert fit_temperature(probabilities, pairs) > 1.3 * told


def test_a_clusterer_is_less_sure_than_its_network_and_as_right():
    X, y = load_digits(return_X_y=True)
    X, y = X[:900] / 16, y[:900]
    pairs = PairwiseConstraints.sample_from_labels(y, 400, random_state=0)
    held_out = np.arange(len(pairs.must_link) + len(pairs.cannot_link)) % 4 == 0
    clusterer = ConstrainedNeuralClusterer(10, max_iter=20, random_state=0)
    clusterer.fit(X, pairs.subset(~held_out))
    labels, before = clusterer.predict(X), clusterer.predict_proba(X)
    assert clusterer.temperature_ == DEFAULT_TEMPERATURE
    np.testing.assert_array_equal(labels, clusterer.labels_)
    assert clusterer.calibrate(X, pairs.subset(held_out)) is clusterer
    np.testing.assert_array_equal(clusterer.predict(X), labels)
    after = clusterer.predict_proba(X)
    order = np.sign(clusterer.temperature_ - DEFAULT_TEMPERATURE)
    assert order * (before.max(axis=1) - after.max(axis=1)).mean() > 0
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("known", [None, -np.ones(150, dtype=int)])
def test_calibration_needs_pairs(iris, known):
    clusterer = ConstrainedNeuralClusterer(3, max_iter=1).fit(iris[0])
    with pytest.raises(ValueError, match="calibrate needs pairs"):
        clusterer.calibrate(iris[0], known)
