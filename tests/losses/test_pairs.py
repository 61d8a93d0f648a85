"""Pair losses against a naive double loop and the closed forms of their papers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from skpairclust.losses._pairs import balance_kinds, flip_share, kcl_loss, mcl_loss
from skpairclust.losses._relations import PairList, as_matrix
from skpairclust.losses._stated_pairs import state_pairs


def make_case(seed, n=7, k=4, share_known=0.6, scale=2.0):
    """Return float64 logits and a random symmetric relation with weights."""
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(n, k, generator=generator, dtype=torch.float64)
    sign = torch.randint(0, 2, (n, n), generator=generator) * 2.0 - 1
    weight = torch.rand(n, n, generator=generator, dtype=torch.float64) + 0.5
    known = torch.rand(n, n, generator=generator) < share_known
    relation = torch.triu(sign * weight * known, diagonal=1)
    return logits.requires_grad_(), relation + relation.T


def known_pairs(relation):
    """Yield each unordered known pair with its signed weight."""
    n = len(relation)
    for i in range(n):
        for j in range(i + 1, n):
            if relation[i, j] != 0:
                yield i, j, float(relation[i, j])


def naive_kcl(logits, relation, margin, reduction):
    p = logits.softmax(1)
    total, weights = 0.0, 0.0
    for i, j, weight in known_pairs(relation):
        for a, b in ((i, j), (j, i)):
            fixed = p[a].detach()
            kl = (fixed * (fixed / p[b]).log()).sum()
            cost = kl if weight > 0 else torch.clamp(margin - kl, min=0)
            total = total + abs(weight) * cost
        weights += abs(weight)
    return total / weights if reduction == "mean" else total


def naive_mcl(logits, relation, flip_rate, reduction):
    p = logits.softmax(1)
    total, weights = 0.0, 0.0
    for i, j, weight in known_pairs(relation):
        same = (p[i] * p[j]).sum()
        same = same * (1 - flip_rate) + (1 - same) * flip_rate
        total = total - abs(weight) * (same if weight > 0 else 1 - same).log()
        weights += abs(weight)
    return total / weights if reduction == "mean" else total


def listed(relation):
    """Return the known pairs of a relation matrix as a list."""
    i, j = relation.triu().nonzero().T
    return PairList(i, j, relation[i, j])


@pytest.mark.parametrize("n_fill", [0, 3])
def test_a_list_is_a_matrix(n_fill):
    _, relation = make_case(0)
    pairs = listed(relation)
    # The first sample and itself, of weight 0: what fills up a list.
    filled = (torch.cat([part, part.new_zeros(n_fill)]) for part in pairs)
    assert torch.equal(as_matrix(PairList(*filled), len(relation)), relation)


def value_and_gradient(loss, logits):
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.detach(), gradient


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("seed", range(5))
def test_kcl_equals_naive_double_loop(seed, reduction):
    logits, relation = make_case(seed)
    ours = kcl_loss(logits.log_softmax(1), relation, margin=1.5, reduction=reduction)
    naive = naive_kcl(logits, relation, 1.5, reduction)
    torch.testing.assert_close(
        value_and_gradient(ours, logits),
        value_and_gradient(naive, logits),
        rtol=1e-10,
        atol=1e-10,
    )


@pytest.mark.parametrize("flip_rate", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("seed", range(5))
def test_mcl_equals_naive_double_loop(seed, reduction, flip_rate):
    logits, relation = make_case(seed)
    ours = mcl_loss(
        logits.log_softmax(1), relation, flip_rate=flip_rate, reduction=reduction
    )
    naive = naive_mcl(logits, relation, flip_rate, reduction)
    torch.testing.assert_close(
        value_and_gradient(ours, logits),
        value_and_gradient(naive, logits),
        rtol=1e-10,
        atol=1e-10,
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("margin", [0.1, 50.0])
def test_kcl_gradient_is_the_closed_form(sign, margin):
    """Eq. 4-6: dL/dQ_i = -P_i/Q_i, +P_i/Q_i inside the margin, 0 outside."""
    log_p = make_case(3, n=2)[0].log_softmax(1).detach().requires_grad_()
    relation = sign * (torch.ones(2, 2) - torch.eye(2)).double()
    kcl_loss(log_p, relation, margin=margin, reduction="sum").backward()
    p = log_p.detach().exp()
    # d/d log Q = Q d/dQ, hence -P_i (must-link), and both directions add up.
    swapped = p[[1, 0]]
    kl = (swapped * (swapped / p).log()).sum(1, keepdim=True)
    inside = (kl < margin).double() if sign < 0 else torch.ones_like(kl)
    torch.testing.assert_close(log_p.grad, -sign * inside * swapped)


def test_kcl_must_link_is_the_symmetric_divergence():
    p = torch.tensor([[0.9, 0.1], [0.4, 0.6]], dtype=torch.float64)
    relation = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    expected = 0.9 * math.log(0.9 / 0.4) + 0.1 * math.log(0.1 / 0.6)
    expected += 0.4 * math.log(0.4 / 0.9) + 0.6 * math.log(0.6 / 0.1)
    assert float(kcl_loss(p.log(), relation)) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [kcl_loss, mcl_loss])
def test_unknown_pairs_change_nothing(loss):
    """Relation 0 is out of the sum and out of its normalizer."""
    logits, relation = make_case(0)
    stranger = torch.randn(3, logits.shape[1]).double()
    padded = torch.zeros(10, 10, dtype=torch.float64)
    padded[:7, :7] = relation
    alone = loss(logits.log_softmax(1), relation)
    together = loss(torch.cat([logits, stranger]).log_softmax(1), padded)
    torch.testing.assert_close(alone, together)


@pytest.mark.parametrize("loss", [kcl_loss, mcl_loss])
def test_no_known_pair_costs_nothing(loss):
    logits, _ = make_case(0)
    value, gradient = value_and_gradient(
        loss(logits.log_softmax(1), torch.zeros(7, 7, dtype=torch.float64)), logits
    )
    assert float(value) == 0
    assert not gradient.any()


@pytest.mark.parametrize("loss", [kcl_loss, mcl_loss])
def test_weights_count_as_repeated_pairs(loss):
    """Weight 3 on one pair is that pair three times in a sum."""
    logits, relation = make_case(1)
    relation = relation.sign()
    i, j, _ = next(known_pairs(relation))
    only, heavy = torch.zeros_like(relation), relation.clone()
    only[i, j] = only[j, i] = relation[i, j]
    heavy[i, j] = heavy[j, i] = 3 * relation[i, j]
    log_p = logits.log_softmax(1)
    expected = loss(log_p, relation, reduction="sum") + 2 * loss(
        log_p, only, reduction="sum"
    )
    torch.testing.assert_close(loss(log_p, heavy, reduction="sum"), expected)


@pytest.mark.parametrize("loss", [kcl_loss, mcl_loss])
@pytest.mark.parametrize("gap", [5.0, 20.0, 45.0])
def test_float32_matches_float64_at_saturated_outputs(loss, gap):
    """Each sample is sure: two right must-links, wrong ones, and cannot-links."""
    logits = gap * torch.eye(3, dtype=torch.float64)[[0, 0, 1, 1]]
    logits += 0.1 * torch.arange(12).reshape(4, 3)
    relation = torch.tensor(
        [[0, 1, -1, 1], [1, 0, 1, -1], [-1, 1, 0, -1], [1, -1, -1, 0]]
    ).double()
    results = []
    for dtype in (torch.float32, torch.float64):
        x = logits.to(dtype, copy=True).requires_grad_()
        value, gradient = value_and_gradient(
            loss(x.log_softmax(1), relation.to(dtype)), x
        )
        results.append((value.double(), gradient.double()))
    torch.testing.assert_close(results[0], results[1], rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("loss", [kcl_loss, mcl_loss])
@given(scale=st.floats(0, 1e4), seed=st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_loss_and_gradient_are_finite_whatever_the_logits(loss, scale, seed):
    logits, relation = make_case(seed, scale=scale)
    x = logits.detach().float().requires_grad_()
    value, gradient = value_and_gradient(loss(x.log_softmax(1), relation.float()), x)
    assert value.isfinite()
    assert gradient.isfinite().all()


def test_mcl_at_uniform_outputs_is_stationary_in_common_directions():
    """With all outputs alike, a must-link costs log k and a cannot-link its rest."""
    log_p = torch.full((2, 10), -math.log(10), dtype=torch.float64)
    must = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    assert float(mcl_loss(log_p, must)) == pytest.approx(math.log(10))
    assert float(mcl_loss(log_p, -must)) == pytest.approx(-math.log(0.9))


@pytest.mark.parametrize("loss", [kcl_loss, mcl_loss])
def test_memory_does_not_grow_with_the_number_of_clusters(loss):
    """No tensor, in the graph or on the way, is (B, B, k)."""
    n, k = 64, 50
    logits, relation = make_case(0, n=n, k=k)
    with LargestTensor() as largest:
        loss(logits.log_softmax(1), relation).backward()
    assert largest.numel == n * n


class LargestTensor(TorchDispatchMode):
    """Record the largest tensor that any operation returns."""

    numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.numel = max(self.numel, result.numel())
        return result


def test_balanced_kinds_share_the_weight_as_told():
    relation = torch.tensor([[0.0, 2, -1], [2, 0, -4], [-1, -4, 0]])
    balanced = balance_kinds(relation, 0.5)
    assert balanced.clamp_min(0).sum() == pytest.approx(7)
    assert balanced.abs().sum() == pytest.approx(relation.abs().sum().item())
    # Within a kind the weights keep their ratio.
    assert balanced[1, 2] / balanced[0, 2] == pytest.approx(4)


@pytest.mark.parametrize("sign", [1, -1, 0])
def test_one_kind_alone_is_left_as_it_is(sign):
    relation = sign * torch.tensor([[0.0, 3], [3, 0]])
    assert torch.equal(balance_kinds(relation, 0.3), relation)


@pytest.mark.parametrize("share_known", [0, 0.1, 1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("must_share", [None, 0.3])
def test_listed_pairs_cost_what_those_of_a_matrix_do(
    share_known, reduction, must_share
):
    logits, relation = make_case(0, n=20, share_known=share_known)
    found = []
    for known in (relation, listed(relation)):
        if must_share is not None:
            known = balance_kinds(known, must_share)
        rate = flip_share(state_pairs(logits.detach().softmax(1), known), 0.2)
        found.append(rate)
        for cost, option in (
            (kcl_loss, {"margin": 1.5}),
            (mcl_loss, {"flip_rate": rate}),
        ):
            loss = cost(logits.log_softmax(1), known, reduction=reduction, **option)
            found += value_and_gradient(loss, logits)
    half = len(found) // 2
    torch.testing.assert_close(found[half:], found[:half])


@pytest.mark.parametrize("loss", [mcl_loss, kcl_loss])
@pytest.mark.parametrize("relate", [lambda relation: relation, listed])
def test_clusters_may_be_ruled_out(relate, loss):
    """A logit of minus infinity is a cluster that is not there."""
    logits, relation = make_case(0)
    masked = torch.cat([logits, logits.new_full((7, 1), -torch.inf)], 1)
    expected = loss(logits.log_softmax(1), relate(relation))
    result = loss(masked.log_softmax(1), relate(relation))
    torch.testing.assert_close(
        value_and_gradient(result, logits), value_and_gradient(expected, logits)
    )
