"""Steps on a pretended device: nothing of a step may wait for the device.

torch's fake tensors know their shape and device and hold no values. What would have to
read a value (a number for Python, a shape that depends on data) and what mixes devices
raises, on machines without a GPU too. So does float64, which not every device has.
"""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.clusterer import _objective as clustering
from skpairclust.clusterer._task import make_task as make_clustering_task
from skpairclust.embedder import _objective as embedding
from skpairclust.embedder._task import make_task as make_embedding_task
from skpairclust.losses._distances import REDUCTIONS
from skpairclust.losses._mining import MINERS
from skpairclust.losses._relations import PairList
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._staging import StagedInputs

CPU = torch.device("cpu")

# Of the devices that torch may be built without, the one that can be pretended still.
PRETENDED = torch.device("lazy")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 16, 16)).astype(np.float32)
    y = rng.integers(4, size=80)
    return X, y, PairwiseConstraints.sample_from_labels(y, 300, random_state=0)


class NoFloat64(TorchDispatchMode):
    """Raise where a tensor of float64 would come to be on the pretended device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf.device == PRETENDED:
                assert leaf.dtype != torch.float64, f"{func} makes float64"
        return result


class Pretender:
    """Moves tensors to the pretended device, where `mode` computes with them."""

    def __init__(self):
        self.mode = FakeTensorMode()

    def move(self, value):
        """Return an array or a tensor there, anything else as it is."""
        if isinstance(value, np.ndarray):
            value = torch.from_numpy(value)
        if not isinstance(value, torch.Tensor):
            return value
        fake = self.mode.from_tensor(value.detach())
        with self.mode:
            return fake.to(PRETENDED)

    def move_all(self, owner):
        """Move the tensors among the attributes of an object; return the object."""
        for name, value in vars(owner).items():
            if isinstance(value, torch.Tensor):
                setattr(owner, name, self.move(value))
            elif isinstance(value, torch.device):
                setattr(owner, name, PRETENDED)
            elif isinstance(value, torch.Generator):
                setattr(owner, name, None)
        return owner

    def move_inputs(self, inputs):
        """Return the inputs of a step there."""
        return type(inputs)(
            *(
                self.move_inputs(value)
                if isinstance(value, tuple)
                else self.move(value)
                for value in inputs
            )
        )

    def move_network(self, network):
        """Move the parameters and buffers of a network; return the network."""
        for module in network.modules():
            for name, value in module._parameters.items():
                if value is not None:
                    module._parameters[name] = torch.nn.Parameter(self.move(value))
            for name, value in module._buffers.items():
                module._buffers[name] = self.move(value)
        return network

    def make_rows(self, X, input_shape):
        """Return all of X there."""
        rows = FeatureRows(X, input_shape, CPU)
        rows._resident = torch.from_numpy(X)
        return rows


PLANTED = {
    "number": lambda x: float(x.sum()),
    "condition": lambda x: bool((x > 0).any()),
    "shape": lambda x: x.nonzero(),
    "mask": lambda x: x[x > 0],
    "unique": lambda x: x.unique(),
    "devices": lambda x: x + torch.ones(3, 3),
    "float64": lambda x: x.sum(dtype=torch.float64),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(name):
    pretender = Pretender()
    x = pretender.move(np.ones((3, 3), np.float32))
    with pretender.mode, NoFloat64():
        with pytest.raises(Exception, match=r"aten\.|same device"):
            PLANTED[name](x)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"unlabeled": "vat"},
        {"unlabeled": None},
        {"unlabeled": None, "loss": "kcl"},
        {"loss": "kcl", "reduction": "sum"},
        {"noise_rate": 0.1},
        {"noise_rate": "estimate"},
        {"pair_balance": 0.5},
        {"classification_weight": 1.0},
        {"network": "lenet"},
        {"network": "conv"},
        {"network": "centered_conv"},
        {"network": "conv", "augment": ["crop", "mirror", "shift"]},
        {"network": "conv", "augment": None},
        {"adversarial_weight": 0.0},
    ],
    ids=str,
)
def test_a_step_of_the_clusterer_never_waits(data, params):
    X, y, known = data
    given = known
    if "classification_weight" in params:
        given = y
        known = PairwiseConstraints.from_labels(y)
    # What "auto" is on a GPU; that of this processor may be another.
    estimator = ConstrainedNeuralClusterer(4, precision="float32", **params)
    task = make_clustering_task(estimator, X, known, given, np.random.RandomState(0))
    pretender = Pretender()
    rows = pretender.make_rows(X, task.architecture.input_shape)
    objective = clustering.PairObjective(rows, known, task, seed=0)
    if objective._batches is not None:
        # As on a GPU.
        objective._batches.batches.listed = "all"
    inputs = objective.draw(fixed_shapes=True)
    assert isinstance(inputs.relation, PairList) == (given is known)
    # As the recorded step gets them.
    inputs = pretender.move_inputs(StagedInputs(inputs, CPU).places)
    network = pretender.move_network(task.architecture.build(0))
    for owner in (objective, rows, objective._prior, objective._noise):
        pretender.move_all(owner)
    with pretender.mode, NoFloat64():
        loss = objective.compute(network, inputs)
    assert loss.device == PRETENDED
    assert loss.shape == ()


def _embedding_cases():
    for loss in embedding.PAIR_LOSSES:
        for reduction in REDUCTIONS:
            yield {"loss": loss, "reduction": reduction}
    for loss in embedding.TRIPLET_LOSSES:
        for mining in ("all", "violating", *MINERS):
            for swap in (False, True):
                yield {"loss": loss, "mining": mining, "swap": swap}
    yield {"positive_percentile": 50}
    yield {"augment": "affine"}
    yield {"augment": "elastic", "network": "conv"}
    yield {"mining": "pool"}
    yield {"network": "centered_conv", "augment_classes": True}
    yield {"unlabeled": "instances"}


@pytest.mark.parametrize("params", list(_embedding_cases()), ids=str)
def test_a_step_of_the_embedder_never_waits(data, params):
    X, y, _ = data
    known = PairwiseConstraints.from_labels(y)
    estimator = MetricEmbedder(8, **params)
    task = make_embedding_task(estimator, X)
    pretender = Pretender()
    rows = pretender.make_rows(X, task.architecture.input_shape)
    objective = embedding.EmbeddingObjective(
        rows, known, task.objective, 0, np.arange(len(X))
    )
    network = pretender.move_network(task.architecture.build(0))
    pretender.move_all(objective)
    pretender.move_all(rows)
    # Batches are drawn, and what is known of them looked up, on the host.
    with pretender.mode, NoFloat64():
        loss = objective(network)
    assert loss.device == PRETENDED
    assert loss.shape == ()
