"""Information and consistency: closed forms, directions, radii."""

import math

import pytest
import torch
from torch import nn

from skpairclust.clusterer._unlabeled import (
    adversarial_loss,
    consistency_loss,
    information_loss,
)
from skpairclust.neural._torch_utils import make_generator


def test_information_of_sure_and_balanced_clusters():
    p = torch.eye(4, dtype=torch.float64).repeat(3, 1).clamp_min(1e-12)
    assert float(information_loss(p.log(), balance=4.0)) == pytest.approx(
        -4 * math.log(4), abs=1e-6
    )


def test_information_of_uniform_outputs_and_of_one_cluster():
    uniform = torch.full((6, 5), 1 / 5, dtype=torch.float64)
    assert float(information_loss(uniform.log(), balance=4.0)) == pytest.approx(
        math.log(5) - 4 * math.log(5)
    )
    one = torch.tensor([[50.0, 0.0, 0.0]]).repeat(4, 1).log_softmax(1)
    assert float(information_loss(one)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("has_prior", [False, True])
def test_information_is_its_formula_and_so_is_the_gradient(has_prior):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(7, 4, generator=generator, dtype=torch.float64)
    prior = torch.rand(4, generator=generator, dtype=torch.float64)
    prior = prior / prior.sum() if has_prior else torch.full_like(prior, 1 / 4)

    def formula(logits):
        p = logits.softmax(1)
        marginal = p.mean(0)
        divergence = (marginal * (marginal / prior).log()).sum() - math.log(4)
        return -(p * p.log()).sum(1).mean() + 3 * divergence

    def ours(logits):
        log_prior = prior.log() if has_prior else None
        return information_loss(logits.log_softmax(1), log_prior, balance=3.0)

    results = []
    for loss in (formula, ours):
        x = logits.clone().requires_grad_()
        value = loss(x)
        results.append((value.detach(), *torch.autograd.grad(value, x)))
    torch.testing.assert_close(*results)


def test_consistency_is_the_divergence():
    network, x = nn.Linear(3, 4), torch.randn(6, 3)
    target = torch.randn(6, 4).log_softmax(1)
    log_q = network(x).log_softmax(1)
    expected = nn.functional.kl_div(
        log_q, target, log_target=True, reduction="batchmean"
    )
    loss = consistency_loss(network, x, target)
    gradients = [torch.autograd.grad(v, network.weight)[0] for v in (expected, loss)]
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(*gradients)


def test_information_gradient_is_finite_at_an_empty_cluster():
    logits = torch.tensor([[0.0, -200.0], [0.0, -200.0]], requires_grad=True)
    information_loss(logits.log_softmax(1)).backward()
    assert logits.grad.isfinite().all()


def test_adversarial_direction_beats_random_ones_of_the_same_length():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(20, 30), nn.Tanh(), nn.Linear(30, 4))
    x = torch.randn(64, 20)
    log_p = network(x).log_softmax(1)
    radius = torch.full((64,), 0.5)
    found = adversarial_loss(network, x, log_p, radius, make_generator(0)).item()
    random_losses = []
    for _ in range(20):
        step = torch.randn_like(x)
        step *= 0.5 / step.norm(dim=1, keepdim=True)
        log_q = network(x + step).log_softmax(1)
        kl = (log_p.exp() * (log_p - log_q)).sum(1).mean()
        random_losses.append(kl.item())
    assert found > 1.5 * max(random_losses)


def test_adversarial_target_is_held_constant():
    network = nn.Linear(3, 2)
    x = torch.randn(5, 3)
    log_p = network(x).log_softmax(1).detach().requires_grad_()
    loss = adversarial_loss(network, x, log_p, torch.ones(5), make_generator(0))
    loss.backward()
    assert log_p.grad is None
    assert network.weight.grad.abs().sum() > 0


def test_radius_zero_costs_nothing_and_images_work():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    x = torch.randn(5, 3, 4)
    log_p = network(x).log_softmax(1)
    loss = adversarial_loss(network, x, log_p, torch.zeros(5), make_generator(0))
    assert float(loss) == pytest.approx(0, abs=1e-6)
