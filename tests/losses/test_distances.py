"""Losses of embeddings against loops over pairs and triplets, value and gradient."""

import math
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skpairclust.losses import _mining
from skpairclust.losses._distances import (
    contrastive_loss,
    hinge_embedding_loss,
    lifted_loss,
    pairwise_distances,
)
from skpairclust.losses._triplets import triplet_loss

N, DIM = 14, 3


def make_batch(seed=0, n=N, weighted=True, unknown=0.3):
    """Return float64 embeddings and a relation with unknown pairs and weights."""
    rng = np.random.RandomState(seed)
    x = torch.tensor(rng.randn(n, DIM), requires_grad=True)
    labels = rng.randint(3, size=n)
    relation = np.where(labels[:, None] == labels, 1.0, -1.0)
    relation *= rng.rand(n, n) > unknown
    if weighted:
        relation *= rng.uniform(0.5, 2, size=(n, n))
    relation = np.triu(relation, 1)
    return x, torch.tensor(relation + relation.T)


def dist(x, i, j):
    return (x[i] - x[j]).square().sum().sqrt()


def reduced(kinds, reduction):
    """Reduce lists of (weight, cost), a list a kind."""
    totals = [sum((w * c for w, c in kind), torch.zeros(())) for kind in kinds]
    weights = [sum(w for w, _ in kind) for kind in kinds]
    active = [sum(w for w, c in kind if c != 0) for kind in kinds]
    if reduction == "sum":
        return sum(totals)
    if reduction == "mean":
        return sum(totals) / sum(weights)
    return sum(t / a for t, a in zip(totals, active, strict=True) if a > 0)


def naive_pairs(x, relation, must_cost, cannot_cost, reduction):
    kinds = [], []
    for i in range(len(x)):
        for j in range(i):
            r = float(relation[i, j])
            if r:
                cost = must_cost if r > 0 else cannot_cost
                kinds[r < 0].append((abs(r), cost(dist(x, i, j))))
    return reduced(kinds, reduction)


def naive_lifted(x, relation, margin, reduction):
    terms = []
    for i in range(len(x)):
        for j in range(i):
            if relation[i, j] <= 0:
                continue
            inner = sum(
                -relation[e, k] * (margin - dist(x, e, k)).exp()
                for e in (i, j)
                for k in range(len(x))
                if relation[e, k] < 0
            )
            if isinstance(inner, int):
                terms.append((float(relation[i, j]), torch.zeros(())))
                continue
            J = torch.log(inner) + dist(x, i, j)
            terms.append((float(relation[i, j]), J.clamp_min(0) ** 2 / 2))
    return reduced([terms], reduction)


def naive_nested_max(x, relation, margin, reduction):
    terms = []
    for i in range(len(x)):
        for j in range(i):
            if relation[i, j] <= 0:
                continue
            gaps = [
                margin - dist(x, e, k)
                for e in (i, j)
                for k in range(len(x))
                if relation[e, k] < 0
            ]
            J = max(gaps) + dist(x, i, j) if gaps else torch.zeros(())
            terms.append((float(relation[i, j]), J.clamp_min(0) ** 2 / 2))
    return reduced([terms], reduction)


def naive_cost(cost, ap, an, pn, margin):
    if cost == "hinge":
        return (ap - an + margin).clamp_min(0)
    if cost == "ratio":
        both = ap.exp() + an.exp()
        return (ap.exp() / both) ** 2 - (an.exp() / both) ** 2
    rest = (margin - an).exp()
    return ap + torch.log(rest + (margin - pn).exp() if pn is not None else rest)


def naive_positives(x, relation, percentile):
    """Return the positives of each anchor, by numpy's percentile."""
    kept = {}
    for a in range(len(x)):
        own = [p for p in range(len(x)) if relation[a, p] > 0]
        d = [dist(x, a, p).item() for p in own]
        limit = np.percentile(d, percentile) if d else 0
        kept[a] = [p for p, dp in zip(own, d, strict=True) if dp <= limit + 1e-12]
    return kept


def naive_triplets(x, relation, mining, margin, power, percentile):
    positives = naive_positives(x, relation, percentile)
    for a in range(len(x)):
        negatives = [n for n in range(len(x)) if relation[a, n] < 0]
        d = {i: dist(x, a, i).item() ** power for i in negatives + positives[a]}
        if mining in ("all", "violating"):
            yield from (
                (a, p, n)
                for p, n in product(positives[a], negatives)
                if mining == "all" or d[n] < d[p]
            )
        elif mining == "hardest" and negatives and positives[a]:
            yield a, max(positives[a], key=d.get), min(negatives, key=d.get)
        elif mining == "semihard":
            for p in positives[a]:
                fits = [n for n in negatives if d[p] < d[n] < d[p] + margin]
                if fits:
                    yield a, p, min(fits, key=d.get)


def naive_triplet_loss(
    x, relation, cost, squared, margin, mining, swap, percentile, reduction
):
    terms, power = [], 1 + squared
    chosen = naive_triplets(x, relation, mining, margin, power, percentile)
    for a, p, n in chosen:
        ap, an = dist(x, a, p) ** power, dist(x, a, n) ** power
        pn = dist(x, p, n) ** power if relation[p, n] < 0 else None
        if swap and cost != "soft" and pn is not None and pn < an:
            an = pn
        weight = float(relation[a, p] * -relation[a, n])
        terms.append((weight, naive_cost(cost, ap, an, pn, margin)))
    return reduced([terms], reduction)


def assert_same(loss, naive, x):
    """Compare value and gradient."""
    (expected,) = torch.autograd.grad(naive, x, allow_unused=True)
    (found,) = torch.autograd.grad(loss, x)
    assert loss.item() == pytest.approx(naive.item(), rel=1e-9, abs=1e-12)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


REDUCTIONS = ["active", "mean", "sum"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [0.5, 1.5])
def test_contrastive(margin, reduction):
    x, relation = make_batch()
    naive = naive_pairs(
        x,
        relation,
        lambda d: d**2,
        lambda d: (margin - d).clamp_min(0) ** 2,
        reduction,
    )
    loss = contrastive_loss(x, relation, margin=margin, reduction=reduction)
    assert_same(loss, naive, x)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [0.5, 1.5])
def test_hinge_embedding(margin, reduction):
    x, relation = make_batch()
    naive = naive_pairs(
        x, relation, lambda d: d, lambda d: (margin - d).clamp_min(0), reduction
    )
    loss = hinge_embedding_loss(x, relation, margin=margin, reduction=reduction)
    assert_same(loss, naive, x)


def test_hinge_embedding_is_that_of_torch():
    x, relation = make_batch(weighted=False)
    i, j = torch.triu_indices(N, N, 1)
    known = relation[i, j] != 0
    i, j = i[known], j[known]
    d = (x[i] - x[j]).norm(dim=1)
    expected = torch.nn.functional.hinge_embedding_loss(d, relation[i, j], margin=1.5)
    assert_same(
        hinge_embedding_loss(x, relation, margin=1.5, reduction="mean"), expected, x
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [1.0, -1.5])
@pytest.mark.parametrize("unknown", [0.1, 0.8])
def test_lifted(margin, unknown, reduction):
    x, relation = make_batch(unknown=unknown)
    naive = naive_lifted(x, relation, margin, reduction)
    assert_same(lifted_loss(x, relation, margin=margin, reduction=reduction), naive, x)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [1.0, 0.2])
@pytest.mark.parametrize("unknown", [0.1, 0.8])
def test_nested_max(margin, unknown, reduction):
    x, relation = make_batch(unknown=unknown)
    naive = naive_nested_max(x, relation, margin, reduction)
    options = {"margin": margin, "reduction": reduction}
    assert_same(lifted_loss(x, relation, nested_max=True, **options), naive, x)


def test_nested_max_is_bounded_by_the_smooth_form():
    x, relation = make_batch(weighted=False)
    assert 0 < lifted_loss(x, relation, nested_max=True) < lifted_loss(x, relation)


@pytest.mark.parametrize("cost", ["hinge", "ratio", "soft"])
@pytest.mark.parametrize("mining", ["all", "violating", "hardest", "semihard"])
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("percentile", [100, 40])
def test_triplets(cost, mining, swap, squared, percentile):
    x, relation = make_batch()
    for reduction in REDUCTIONS:
        naive = naive_triplet_loss(
            x, relation, cost, squared, 0.4, mining, swap, percentile, reduction
        )
        loss = triplet_loss(
            x,
            relation,
            cost=cost,
            squared=squared,
            margin=0.4,
            mining=mining,
            swap=swap,
            positive_percentile=percentile,
            reduction=reduction,
        )
        assert_same(loss, naive, x)


@pytest.mark.parametrize("squared", [False, True])
def test_ranked_and_chunked_agree_on_a_large_batch(squared):
    x, relation = make_batch(n=150)
    options = {"squared": squared, "margin": 0.3}
    ranked = triplet_loss(x, relation, **options)
    listed = triplet_loss(
        x,
        relation,
        triplets=((relation > 0)[:, :, None] & (relation < 0)[:, None]).nonzero(
            as_tuple=True
        ),
        **options,
    )
    assert_same(ranked, listed, x)


def test_random_triplets_are_triplets_and_reach_all_negatives():
    _, relation = make_batch()
    positive, negative = relation > 0, relation < 0
    seen = set()
    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        column = _mining.positive_columns(positive)
        *drawn, counts = _mining.random(positive, negative, column, generator)
        a, p, n = (indices[counts] for indices in drawn)
        assert positive[a, p].all() and negative[a, n].all()
        has_negative = negative.any(1, keepdim=True)
        assert len(a) == int((positive & has_negative).sum())
        seen.update(zip(a.tolist(), n.tolist(), strict=True))
    anchors = positive.any(1).nonzero()[:, 0]
    assert seen == {
        (int(a), int(n)) for a in anchors for n in negative[a].nonzero()[:, 0]
    }


LOSSES = {
    "contrastive": contrastive_loss,
    "hinge_embedding": hinge_embedding_loss,
    "lifted": lifted_loss,
    "lifted_max": partial(lifted_loss, nested_max=True),
    **{
        f"{cost}-{mining}-{swap}": (
            lambda x, r, c=cost, m=mining, s=swap: triplet_loss(
                x, r, cost=c, mining=m, swap=s
            )
        )
        for cost in ("hinge", "ratio", "soft")
        for mining in ("all", "violating", "hardest", "semihard", "random")
        for swap in (False, True)
    },
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "case", ["identical", "duplicates", "no positive", "no negative", "nothing known"]
)
def test_degenerate_batches_have_finite_gradients(name, case, dtype):
    x, relation = make_batch()
    if case == "identical":
        x = torch.ones_like(x)
    elif case == "duplicates":
        x = x[torch.arange(N) // 2]
    elif case == "no positive":
        relation = relation.clamp_max(0)
    elif case == "no negative":
        relation = relation.clamp_min(0)
    else:
        relation = torch.zeros_like(relation)
    x = x.detach().to(dtype).requires_grad_()
    loss = LOSSES[name](x, relation.to(dtype))
    loss.backward()
    assert loss.dtype == dtype and loss.isfinite() and x.grad.isfinite().all()
    is_pairwise = name in ("contrastive", "hinge_embedding")
    if case == "nothing known" or (case.startswith("no") and not is_pairwise):
        assert loss.item() == 0 and not x.grad.any()


@pytest.mark.parametrize("name", LOSSES)
def test_no_active_term_is_no_nan(name):
    labels = torch.arange(12) // 4
    relation = (labels[:, None] == labels).double() * 2 - 1
    relation.fill_diagonal_(0)
    x = (100.0 * torch.eye(3, dtype=torch.float64)[labels]).requires_grad_()
    loss = LOSSES[name](x, relation)
    loss.backward()
    assert x.grad.isfinite().all()
    if "hinge" in name or name in ("contrastive", "lifted", "lifted_max"):
        assert loss.item() == 0 and not x.grad.any()


def test_a_good_triplet_costs_less_than_a_bad_one():
    """Published code has this sign reversed."""
    relation = torch.tensor([[0.0, 1, -1], [1, 0, -1], [-1, -1, 0]])
    good = torch.tensor([[0.0], [0.1], [3.0]])
    bad = torch.tensor([[0.0], [3.0], [0.1]])
    for name, loss in LOSSES.items():
        if "semihard" not in name and "violating" not in name:
            assert loss(good, relation) < loss(bad, relation), name


@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10))
def test_gradient_steps_keep_the_mean(seed, scale):
    """Distances do not change when all points move: gradients sum to zero."""
    x, relation = make_batch(seed)
    x = (scale * x.detach()).requires_grad_()
    for loss in LOSSES.values():
        (gradient,) = torch.autograd.grad(loss(x, relation), x)
        bound = 1e-9 * (1 + gradient.abs().sum())
        assert gradient.sum(0).abs().max() < bound


@given(seed=st.integers(0, 10**6))
def test_losses_do_not_depend_on_the_order_of_a_batch(seed):
    x, relation = make_batch(seed)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(seed))
    for name, loss in LOSSES.items():
        if "random" not in name:
            moved = loss(x[order], relation[order][:, order])
            assert moved.item() == pytest.approx(loss(x, relation).item(), rel=1e-9)


def test_distances():
    x, _ = make_batch()
    d = pairwise_distances(x)
    torch.testing.assert_close(d, torch.cdist(x, x).detach(), rtol=1e-7, atol=1e-7)
    far = (x.detach().float() + 1000)[torch.arange(N) // 2]
    assert (pairwise_distances(far)[::2, 1::2].diagonal() == 0).all()
    squared = pairwise_distances(x, squared=True)
    torch.testing.assert_close(squared.sqrt(), d)
    assert math.isfinite(float(d.sum()))
