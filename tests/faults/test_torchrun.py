"""torchrun starts a fit again of which a process was killed, and it goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import os, signal
import numpy as np
import torch
from torch import distributed, nn
from skpairclust import ConstrainedNeuralClusterer

torch.set_num_threads(1)
X = np.random.RandomState(0).normal(size=(90, 4))
y = np.arange(90) % 3
n_passes = 0

class Mortal(nn.Linear):
    def __init__(self, shape, n_outputs):
        super().__init__(*shape, n_outputs)

    def forward(self, x):
        global n_passes
        n_passes += self.training
        is_victim = os.environ["RANK"] == "1" and not os.path.exists("died")
        if is_victim and n_passes > 25 and DIES:
            open("died", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(x)

DIES = DEADLY
distributed.init_process_group("gloo")
model = ConstrainedNeuralClusterer(
    3, network=Mortal, init="random", max_iter=12, random_state=0,
    checkpoint_dir="checkpoints", checkpoint_interval=0,
).fit(X, y)
with open(f"result-{os.environ['RANK']}", "w") as file:
    weights = model.weights_["weight"].astype(float)
    print(os.environ["TORCHELASTIC_RESTART_COUNT"], n_passes, file=file)
    print(weights.tobytes().hex(), file=file)
distributed.destroy_process_group()
"""


def run(folder, *, deadly):
    """Return the number of starts, passes in training, and weights of each process."""
    folder.mkdir()
    code = _PROGRAM.replace("DEADLY", repr(deadly))
    (folder / "program.py").write_text(code)
    found = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--max-restarts", "2", "program.py"),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        },
    )
    assert found.returncode == 0, found.stderr
    results = [(folder / f"result-{rank}").read_text().split() for rank in (0, 1)]
    return [(int(starts), int(passes), w) for starts, passes, w in results]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_killed_process_is_started_again_and_goes_on(tmp_path):
    whole = run(tmp_path / "whole", deadly=False)
    killed = run(tmp_path / "killed", deadly=True)
    assert (tmp_path / "killed" / "died").exists()
    for rank in (0, 1):
        assert whole[rank][0] == 0 and killed[rank][0] == 1
        assert killed[rank][1] < whole[rank][1]
        assert killed[rank][2] == whole[rank][2]
    assert not list((tmp_path / "killed" / "checkpoints").iterdir())
