"""The two terms of IMSAT, which learn from samples without constraints.

References
----------
Hu, Miyato, Tokui, Matsumoto, Sugiyama (2017). Learning Discrete Representations
via Information Maximizing Self-Augmented Training. ICML.

Miyato, Maeda, Koyama, Ishii (2018). Virtual Adversarial Training. TPAMI.
"""

import math

import torch

from skpairclust.losses._slopes import inner, with_slope

# The probe that finds the adversarial direction, in units of the radius: far
# enough to leave the flat part of the divergence around a sample.
_PROBE_SCALE = 10.0

# How much of the clusters' sizes a step keeps, and the least of a size.
_MEMORY, _LEAST_SHARE = 0.98, 1e-6


def information_loss(log_p, log_prior=None, balance=4.0):
    r"""Negative mutual information of samples and clusters, balance up-weighted.

    In :math:`H(Y|X) - \mu H(Y)`, each sample should belong clearly to one cluster, and
    clusters should have equal sizes (Hu et al. 2017, eq. 7 and 12). With a prior q,
    they should have the sizes q: :math:`-H(Y)` becomes :math:`KL(Y \| q) - \log k`,
    which is the same for equal sizes.

    Parameters
    ----------
    log_p : Tensor of shape (B, k)
        Logarithms of the cluster probabilities.
    log_prior : Tensor of shape (k,), default=None
        Logarithms of the shares that the clusters should have; None: equal.
    balance : float, default=4.0
        The weight :math:`\mu` of the marginal entropy.

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    with torch.no_grad():
        p, n = log_p.exp(), len(log_p)
        marginal = p.mean(0)
        # Of an empty cluster as well: nothing pulls there, since p is 0.
        ratio = marginal.clamp_min(torch.finfo(p.dtype).tiny).log()
        if log_prior is not None:
            ratio = ratio - log_prior - math.log(log_p.shape[1])
        value = balance * inner(marginal, ratio) - inner(p, log_p) / n
        slope = (balance * (ratio + 1) - 1 - log_p).mul_(p).div_(n)
    return value + with_slope(log_p, slope)


class SizePrior:
    """Shares that the clusters should have, between equal ones and those from pairs.

    The latter are a running mean over the constrained samples, whose clusters are
    mostly determined by pairs.

    Parameters
    ----------
    freedom : float
        Weight of the running mean, 0 to 1.
    n_clusters : int
    device : torch.device
    """

    def __init__(self, freedom, n_clusters, device):
        self.freedom = freedom
        self.shares = torch.full((n_clusters,), 1 / n_clusters, device=device)

    def update(self, log_p):
        """Take in a batch of constrained samples, log-probabilities (B, k)."""
        with torch.no_grad():
            seen = log_p.exp().mean(0)
            # In place, as a recorded step needs it.
            self.shares.lerp_(seen, 1 - _MEMORY)

    def log_shares(self):
        """Return the logarithms of the shares, (k,)."""
        equal = (1 - self.freedom) / len(self.shares)
        return (self.freedom * self.shares + equal).clamp_min(_LEAST_SHARE).log()


def adversarial_loss(network, x, log_p, radius, generator, space=None):
    r"""Virtual adversarial training: the output must be robust in the worst direction.

    :math:`KL(p(x) \| p(x + r))` with r of length `radius` along the direction that
    changes the output most, found by one power iteration; p(x) is held constant
    (Miyato et al. 2018, eq. 5-6 and 11-14).

    Parameters
    ----------
    network : callable
    x : Tensor of shape (B, ...)
    log_p : Tensor of shape (B, k)
        Logarithms of the cluster probabilities of `x`.
    radius : Tensor of shape (B,)
        Length of each sample's perturbation, in the units of X.
    generator : torch.Generator
        On the device of `x`.
    space : FirstLayerSpace, optional
        What measures lengths, if `x` are no samples but what the first layer makes of
        them.

    Returns
    -------
    Tensor
        A scalar, in nats, the mean over the batch.
    """
    stretch = _scaled if space is None else space.stretch
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    if space is None:
        probe = _scaled(noise, _PROBE_SCALE * radius)
    else:
        probe = space.spread(noise, _PROBE_SCALE * radius)
    probe.requires_grad_()
    target = log_p.detach()
    p = target.exp()
    # Of the divergence, the entropy of p does not change.
    (gradient,) = torch.autograd.grad(_cross_entropy(network, x + probe, p), probe)
    changed = _cross_entropy(network, x + stretch(gradient, radius), p)
    return changed + inner(p, target) / len(p)


def consistency_loss(network, x, target):
    """Return the mean divergence KL(target || network(x)), `target` in logs."""
    p = target.exp()
    return _cross_entropy(network, x, p) + inner(p, target) / len(p)


def _cross_entropy(network, x, p):
    """Return the mean cross-entropy of outputs and probabilities `p`, in nats."""
    return inner(p, network(x).log_softmax(1)) / -len(p)


def _scaled(vectors, length):
    """Return `vectors` of shape (B, ...), each stretched to its `length`."""
    norm = torch.linalg.vector_norm(vectors.flatten(1), dim=1)
    factor = length / norm.clamp_min(torch.finfo(vectors.dtype).tiny)
    return vectors * factor.reshape(-1, *[1] * (vectors.ndim - 1))
