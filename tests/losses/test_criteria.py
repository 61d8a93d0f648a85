"""The public criteria: labels and relations, the functions behind them, wrong input."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch

from skpairclust.losses import (
    ContrastiveLoss,
    KCLLoss,
    LiftedLoss,
    MCLLoss,
    TripletLoss,
)
from tests.losses import test_distances, test_pairs

LABELS = torch.tensor([0, 1, -1, 1, 2, 0, -5, 2, 0, 1])
CRITERIA = [
    KCLLoss(),
    MCLLoss(0.1, reduction="sum"),
    ContrastiveLoss(1.5),
    ContrastiveLoss(1.5, squared=False),
    TripletLoss(),
    TripletLoss(cost="squared_hinge", mining="hardest"),
    TripletLoss(cost="soft", swap=True),
    LiftedLoss(),
    LiftedLoss(nested_max=True),
]
name = pytest.mark.parametrize("criterion", CRITERIA, ids=repr)


def relate(labels):
    """Return the relation matrix of labels by a loop."""
    n = len(labels)
    relation = torch.zeros(n, n)
    for i in range(n):
        for j in range(n):
            if i != j and labels[i] >= 0 and labels[j] >= 0:
                relation[i, j] = 1 if labels[i] == labels[j] else -1
    return relation


def draw(dtype=torch.float64):
    x = np.random.RandomState(0).randn(len(LABELS), 4)
    return torch.tensor(x, dtype=dtype, requires_grad=True)


def gradient(criterion, x, target):
    loss = criterion(x, target)
    return loss, torch.autograd.grad(loss, x)[0]


@name
def test_labels_are_the_matrix_of_their_pairs(criterion):
    x = draw()
    expected, slope = gradient(criterion, x, relate(LABELS))
    assert expected > 0 and slope.abs().sum() > 0
    for target in (LABELS, LABELS.to(torch.int32), relate(LABELS).long()):
        found, its_slope = gradient(criterion, x, target)
        assert found.dtype == x.dtype
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(its_slope, slope)


@name
def test_the_diagonal_is_not_read(criterion):
    x, relation = draw(), relate(LABELS)
    noted = relation.clone().fill_diagonal_(1)
    torch.testing.assert_close(criterion(x, noted), criterion(x, relation))
    assert (noted.diagonal() == 1).all()


@name
def test_nothing_known_costs_nothing(criterion):
    x = draw()
    for target in (torch.full((len(x),), -1), torch.zeros(len(x), len(x))):
        loss, slope = gradient(criterion, x, target)
        assert loss == 0 and not slope.any()


@name
def test_half_precision_is_computed_in_float32(criterion):
    x = draw(torch.float32)
    low = x.detach().bfloat16().requires_grad_()
    loss, slope = gradient(criterion, low, LABELS)
    assert loss.dtype == torch.float32 and slope.dtype == torch.bfloat16
    exact = criterion(low.detach().float(), LABELS)
    torch.testing.assert_close(loss.detach(), exact)


@name
def test_copies_and_pickles(criterion):
    x = draw()
    for other in (copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion))):
        torch.testing.assert_close(other(x, LABELS), criterion(x, LABELS))
        assert repr(other) == repr(criterion)
    assert type(criterion).__module__ == "skpairclust.losses"


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_cluster_losses_equal_loops(reduction):
    logits, relation = test_pairs.make_case(3)
    for criterion, naive in (
        (KCLLoss(1.5, reduction=reduction), partial(test_pairs.naive_kcl, margin=1.5)),
        (
            MCLLoss(0.2, reduction=reduction),
            partial(test_pairs.naive_mcl, flip_rate=0.2),
        ),
    ):
        expected = naive(logits, relation, reduction=reduction)
        assert criterion(logits, relation).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("reduction", ["active", "mean", "sum"])
def test_losses_of_distances_equal_loops(reduction):
    x, relation = test_distances.make_batch()
    for squared in (False, True):
        power = 1 + squared
        naive = test_distances.naive_pairs(
            x,
            relation,
            lambda d: d**power,  # noqa: B023
            lambda d: (1.5 - d).clamp_min(0) ** power,  # noqa: B023
            reduction,
        )
        criterion = ContrastiveLoss(1.5, squared=squared, reduction=reduction)
        test_distances.assert_same(criterion(x, relation), naive, x)
    for nested_max, loop in (
        (False, test_distances.naive_lifted),
        (True, test_distances.naive_nested_max),
    ):
        criterion = LiftedLoss(1.0, nested_max=nested_max, reduction=reduction)
        naive = loop(x, relation, 1.0, reduction)
        test_distances.assert_same(criterion(x, relation), naive, x)


@pytest.mark.parametrize("cost", ["hinge", "squared_hinge", "ratio", "soft"])
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("mining", ["all", "violating", "hardest", "semihard"])
def test_triplets_equal_loops(cost, swap, mining):
    x, relation = test_distances.make_batch()
    squared = cost == "squared_hinge"
    naive = test_distances.naive_triplet_loss(
        x,
        relation,
        "hinge" if squared else cost,
        squared,
        0.4,
        mining,
        swap,
        60,
        "mean",
    )
    criterion = TripletLoss(
        0.4,
        cost=cost,
        mining=mining,
        swap=swap,
        positive_percentile=60,
        reduction="mean",
    )
    test_distances.assert_same(criterion(x, relation), naive, x)


def test_random_triplets_follow_their_generator():
    x = draw()
    losses = [
        TripletLoss(mining="random", generator=torch.Generator().manual_seed(seed))(
            x, LABELS
        )
        for seed in (1, 1, 2)
    ]
    assert losses[0] == losses[1] != losses[2]


def test_a_loop_of_ones_own_learns():
    """Cross-entropy replaced by a criterion, and nothing else."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], 40)
    x = torch.tensor(rng.randn(120, 5) + 3 * np.eye(5)[y], dtype=torch.float32)
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(5, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        KCLLoss()(network(x), torch.tensor(y)).backward()
        optimizer.step()
    table = np.zeros((3, 3))
    np.add.at(table, (y, network(x).argmax(1).numpy()), 1)
    assert table.max(axis=0).sum() > 110 and (table.max(axis=0) > 30).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KCLLoss(-1), "margin=-1 must be a finite number of at least 0"),
        (lambda: KCLLoss(reduction="active"), "reduction='active' must be one of"),
        (lambda: MCLLoss(0.5), r"flip_rate=0.5 must be in \[0, 0.5\)"),
        (lambda: ContrastiveLoss(float("nan")), "margin=nan must be a finite number"),
        (lambda: TripletLoss(cost="cubic"), "cost='cubic' must be one of 'hinge'"),
        (lambda: TripletLoss(mining="pool"), "mining='pool' must be one of 'all'"),
        (lambda: TripletLoss(positive_percentile=0), "positive_percentile=0 must be"),
        (lambda: LiftedLoss(reduction="none"), "reduction='none' must be one of"),
    ],
)
def test_wrong_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ([0] * 10, TypeError, "target is list, but pass one integer label"),
        (LABELS.double(), TypeError, "labels in target are of torch.float64"),
        (LABELS[:4], ValueError, r"target has shape \(4,\) for a batch of 10"),
        (torch.triu(relate(LABELS)), ValueError, "is not symmetric"),
        (relate(LABELS) * torch.nan, ValueError, "holds NaN or infinity"),
    ],
)
def test_wrong_targets(target, error, message):
    with pytest.raises(error, match=message):
        KCLLoss()(draw(), target)


@pytest.mark.parametrize("outputs", [torch.zeros(4), torch.zeros(4, 2, dtype=int)])
def test_wrong_outputs(outputs):
    with pytest.raises(ValueError, match="outputs of shape"):
        LiftedLoss()(outputs, torch.zeros(4, dtype=int))
