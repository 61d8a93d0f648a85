"""The progress line, wherever standard output goes."""

import io
import sys

import numpy as np
import pytest

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.neural._epoch_hooks import EpochPrinter


class Log:
    """A file of a logger or of a program with windows."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Notebook(Log):
    __module__ = "ipykernel.iostream"


@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
@pytest.mark.parametrize("make", [Log, io.StringIO, Terminal, Notebook, lambda: None])
def test_fit_prints_to_any_stream(kind, make, iris, monkeypatch):
    stream = make()
    monkeypatch.setattr(sys, "stdout", stream)
    kind(3, max_iter=2, verbose=1, hidden_layer_sizes=(8,)).fit(*iris)
    if stream is not None:
        text = getattr(stream, "text", None) or stream.getvalue()
        assert "epoch 1/2" in text and "epoch 2/2" in text
        moves = isinstance(stream, Terminal | Notebook)
        assert text.count("\r") == (2 if moves else 0)
        assert text.count("\n") == (1 if moves else 2)


def test_trials_are_not_silent(digits, capsys):
    X, y = digits
    pairs = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
    clusterer = ConstrainedNeuralClusterer(10, max_iter=6, verbose=1)
    clusterer.set_params(hidden_layer_sizes=(8,), random_state=0).fit(X, pairs)
    lines = capsys.readouterr().out.splitlines()
    assert "trial 1 (groups) epoch 1/6" in lines[0]
    assert sum("(kmeans)" in line for line in lines) == 6
    assert f"epoch {clusterer.n_iter_}/{clusterer.n_iter_} " in lines[-1]


def test_all_hooks_know_how_many_epochs_there_are(capsys):
    """Of many samples, fewer epochs are trained than `max_iter` says."""
    rng = np.random.RandomState(0)
    y = rng.randint(2, size=20_000)
    X = (rng.normal(size=(20_000, 2)) + 4 * y[:, None]).astype(np.float32)
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    clusterer = ConstrainedNeuralClusterer(2, max_iter=8, verbose=1)
    clusterer.set_params(hidden_layer_sizes=(8,), random_state=0).fit(X, pairs)
    assert clusterer.n_iter_ == len(clusterer.loss_curve_) == 4
    assert "epoch 4/4 " in capsys.readouterr().out.splitlines()[-1]


def test_a_stream_may_be_given():
    class Run:
        loss_curve, loss, settled = [0.5], 0.5, False

    log = Log()
    printer = EpochPrinter(3, "fit", log)
    printer.begin(None)
    assert printer(Run, None) is False
    printer.close()
    assert log.text.startswith("fit epoch 1/3  loss  0.5000")
    assert log.text.endswith(" s\n") and np.char.count(log.text, "\n") == 1


@pytest.mark.parametrize(
    "estimator",
    [
        ConstrainedNeuralClusterer(3, init="random"),
        MetricEmbedder(3, validation_fraction=0.2),
    ],
)
def test_the_last_line_says_that_nothing_changed_any_more(estimator, iris, capsys):
    options = {"verbose": 1, "n_iter_no_change": 2, "random_state": 0}
    options["tol"] = np.float64(10)
    estimator.set_params(hidden_layer_sizes=(8,), **options).fit(*iris)
    *lines, last = capsys.readouterr().out.splitlines()
    assert last.endswith(" s  settled")
    assert not any("settled" in line for line in lines)
