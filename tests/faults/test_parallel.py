"""Restarts in workers: Ctrl-C, and workers that die."""

import os
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder

X = np.random.RandomState(0).normal(size=(300, 4)).astype(np.float32)
ROOT = Path(__file__).parents[2]


class Deadly(nn.Linear):
    """Ends the process that trains it, so many times in all."""

    def __init__(self, shape, n_outputs, *, folder, n_deaths, parent):
        super().__init__(*shape, n_outputs)
        self.folder, self.n_deaths, self.parent = folder, n_deaths, parent

    def forward(self, x):
        # The network is looked at where the fit was called, before any training.
        if self.training and len(x) > 2 and os.getpid() != self.parent:
            for number in range(self.n_deaths):
                try:
                    (self.folder / str(number)).touch(exist_ok=False)
                except FileExistsError:
                    continue
                os._exit(1)
        return super().forward(x)


def fit_deadly(n_deaths, folder):
    network = partial(Deadly, folder=folder, n_deaths=n_deaths, parent=os.getpid())
    return ConstrainedNeuralClusterer(
        3, network=network, n_init=3, n_jobs=2, max_iter=2, random_state=0
    ).fit(X)


@pytest.mark.filterwarnings("ignore:A worker stopped")
def test_a_worker_that_dies_costs_no_result(tmp_path):
    plain = fit_deadly(0, tmp_path)
    fitted = fit_deadly(1, tmp_path)
    assert (tmp_path / "0").exists()
    np.testing.assert_array_equal(fitted.labels_, plain.labels_)
    assert fitted.loss_ == plain.loss_


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A worker stopped")
def test_a_fit_whose_workers_all_die_says_so(tmp_path):
    with pytest.raises(BrokenProcessPool):
        fit_deadly(1000, tmp_path)


_CTRL_C = """
import os, signal, sys, threading, time, warnings
import numpy as np
from skpairclust import ConstrainedNeuralClusterer

X = np.random.RandomState(0).normal(size=(300, 4)).astype(np.float32)
options = dict(random_state=0, hidden_layer_sizes=8, batch_size=32)
if __name__ == "__main__":
    # A shell that runs the tests in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ConstrainedNeuralClusterer(3, n_init=2, n_jobs=2, max_iter=1, **options).fit(X)
    threading.Timer(3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = ConstrainedNeuralClusterer(
            3, n_init=3, n_jobs=2, max_iter=100_000, **options
        ).fit(X)
    assert any("half trained" in str(warning.message) for warning in caught)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    print(fitted.n_iter_, len(fitted.predict(X)))
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_keeps_the_best_weights_of_workers(tmp_path):
    (tmp_path / "program.py").write_text(_CTRL_C)
    found = subprocess.run(
        [sys.executable, "program.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert found.returncode == 0, found.stderr
    n_iter, n_labels = map(int, found.stdout.split())
    assert 1 <= n_iter < 100_000 and n_labels == 300


class Interrupting(nn.Linear):
    """Presses Ctrl-C when all of X comes by, which is after the training."""

    n_left = 0

    def __init__(self, shape, n_outputs):
        super().__init__(*shape, n_outputs)

    def forward(self, x):
        if not self.training and len(x) > 290 and Interrupting.n_left:
            Interrupting.n_left -= 1
            signal.raise_signal(signal.SIGINT)
        return super().forward(x)


@pytest.fixture
def heard():
    """Let Ctrl-C be heard, which a shell in the background has its programs ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("kind", ["clusterer", "embedder"])
def test_ctrl_c_after_the_training_loses_nothing(kind):
    y = np.arange(300) % 3
    options = {"network": Interrupting, "max_iter": 2, "random_state": 0}
    estimator = (
        ConstrainedNeuralClusterer(3, **options)
        if kind == "clusterer"
        else MetricEmbedder(2, **options)
    )
    expected = estimator.fit(X, y).transform(X)
    Interrupting.n_left = 1
    with pytest.warns(UserWarning, match="training was over: nothing is lost") as seen:
        estimator.fit(X, y)
    assert seen[0].filename == __file__ and Interrupting.n_left == 0
    np.testing.assert_array_equal(estimator.transform(X), expected)
    Interrupting.n_left = 2
    with (
        pytest.warns(UserWarning, match="nothing is lost"),
        pytest.raises(KeyboardInterrupt),
    ):
        estimator.fit(X, y)
    Interrupting.n_left = 0
