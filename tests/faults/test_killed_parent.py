"""A program that is killed leaves no process behind that still trains."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each worker leaves a file that bears its number.
_PROGRAM = """
import os
import numpy as np
from torch import nn
from skpairclust import ConstrainedNeuralClusterer

class Traced(nn.Linear):
    def __init__(self, shape, n_outputs):
        super().__init__(*shape, n_outputs)

    def forward(self, x):
        if os.environ["FITS"] != str(os.getpid()):
            open(f"worker-{os.getpid()}", "a").close()
        return super().forward(x)

if __name__ == "__main__":
    os.environ["FITS"] = str(os.getpid())
    X = np.random.RandomState(0).normal(size=(60, 3))
    options = dict(network=Traced, n_init=2, n_jobs=2, init="random")
    ConstrainedNeuralClusterer(3, max_iter=10**7, **options).fit(X)
"""


def wait_for(condition, seconds=120):
    """Return whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return False


def is_running(pid):
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_killed_program_leaves_no_worker_that_trains(tmp_path):
    (tmp_path / "program.py").write_text(_PROGRAM)
    program = subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    try:
        assert wait_for(lambda: len(list(tmp_path.glob("worker-*"))) == 2)
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait()
    workers = [int(p.name.partition("-")[2]) for p in tmp_path.glob("worker-*")]
    ended = wait_for(lambda: not any(map(is_running, workers)))
    for pid in workers:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)
    assert ended
