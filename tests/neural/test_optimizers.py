"""Steps are torch's own, and come without its compiler."""

import copy
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from skpairclust.neural._optimizers import make_optimizer
from skpairclust.neural._training import TrainingOptions

OPTIONS = TrainingOptions(
    optimizer="adam",
    learning_rate=0.01,
    momentum=0.9,
    weight_decay=0.1,
    schedule="constant",
    max_iter=1,
    tol=0.0,
    n_iter_no_change=None,
)
TORCH = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, fused=True),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=0.1, momentum=0.9),
}


def train(network, optimizer, n_steps=5):
    generator = torch.Generator().manual_seed(0)
    for _ in range(n_steps):
        optimizer.zero_grad()
        network(torch.randn(8, 4, generator=generator)).square().sum().backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def build():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 2))


@pytest.mark.parametrize("name", TORCH)
def test_steps_are_those_of_torch(name):
    ours, theirs = build(), build()
    options = replace(OPTIONS, optimizer=name)
    result = train(ours, make_optimizer(ours.parameters(), options))
    expected = train(theirs, TORCH[name](theirs.parameters()))
    torch.testing.assert_close(result, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", TORCH)
def test_a_state_goes_to_another_optimizer_and_to_one_of_torch(name):
    options = replace(OPTIONS, optimizer=name)
    network = build()
    optimizer = make_optimizer(network.parameters(), options)
    train(network, optimizer)
    results = []
    for make in (lambda p: make_optimizer(p, options), TORCH[name]):
        other = build()
        other.load_state_dict(network.state_dict())
        follower = make(other.parameters())
        # Some of what it loads is not copied.
        follower.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        results.append(train(other, follower))
    expected = train(network, optimizer)
    for result in results:
        torch.testing.assert_close(result, expected, rtol=0, atol=0)


def test_hooks_of_a_user_are_called():
    network, seen = build(), []
    optimizer = make_optimizer(network.parameters(), OPTIONS)
    optimizer.register_step_post_hook(lambda *_: seen.append(1))
    train(network, optimizer, n_steps=3)
    assert len(seen) == 3


SCRIPT = """
import sys
import numpy as np
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
X, y = np.random.RandomState(0).randn(300, 4), np.arange(300) % 3
for optimizer in ("adam", "sgd"):
    model = ConstrainedNeuralClusterer(
        3, optimizer=optimizer, max_iter=12, random_state=0, checkpoint_dir={folder!r}
    )
    model.fit(X, y).predict(X)
    MetricEmbedder(max_iter=2, optimizer=optimizer).fit(X, y).transform(X)
images = X.reshape(75, 4, 4).repeat(4, 1).repeat(4, 2)
MetricEmbedder(max_iter=1).fit(images, y[:75]).transform(images)
assert "torch" in sys.modules
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


def test_no_fit_imports_the_compiler(tmp_path):
    script = SCRIPT.format(folder=str(tmp_path))
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert result.stdout.strip() == "[]", result.stderr
