"""Torch's optimizers without its compiler, whose import takes two seconds.

Torch wraps methods of optimizers in functions that import the compiler, to tell it to
leave them alone. Nothing is compiled here, and in a new process the import would take
longer than the fit of a small table.
"""

from inspect import unwrap

import torch
from torch.optim import Optimizer

OPTIMIZERS = ("adam", "sgd")


class _Unwrapped:
    """The methods of all optimizers as torch wrote them."""

    add_param_group = unwrap(Optimizer.add_param_group)
    zero_grad = unwrap(Optimizer.zero_grad)
    state_dict = unwrap(Optimizer.state_dict)
    load_state_dict = unwrap(Optimizer.load_state_dict)


class _Adam(_Unwrapped, torch.optim.Adam):
    """Adam; its wrapper turns gradients off, too."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


class _SGD(_Unwrapped, torch.optim.SGD):
    """Stochastic gradient descent, likewise."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))


def make_optimizer(parameters, options, *, on_gpu=False):
    """Return the torch optimizer that `options` name.

    Parameters
    ----------
    parameters : iterable of Tensor or of dict
    options : TrainingOptions
    on_gpu : bool, default=False
        Whether a step may be recorded there.

    Returns
    -------
    torch.optim.Optimizer
    """
    common = {"lr": options.learning_rate, "weight_decay": options.weight_decay}
    if options.optimizer == "sgd":
        return _SGD(parameters, momentum=options.momentum, **common)
    optimizer = _Adam(parameters, fused=True, capturable=on_gpu, **common)
    if on_gpu:
        # Where a recorded step finds them.
        for group in optimizer.param_groups:
            device = group["params"][0].device
            group["lr"] = torch.tensor(options.learning_rate, device=device)
    return optimizer
