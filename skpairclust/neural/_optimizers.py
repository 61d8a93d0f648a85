"""Torch's optimizers without its compiler, whose import takes two seconds.

Torch wraps methods of optimizers in functions that import the compiler, to tell it to
leave them alone. Nothing is compiled here, and in a new process the import would take
longer than the fit of a small table.
"""

from inspect import unwrap

import torch
from torch.optim import Optimizer

OPTIMIZERS = ("adam", "sgd")

_CPU = torch.device("cpu")

# What Adam keeps of each weight.
_KEPT = ("exp_avg", "exp_avg_sq", "step")


class _Unwrapped:
    """The methods of all optimizers without what torch wraps them in."""

    add_param_group = unwrap(Optimizer.add_param_group)
    state_dict = unwrap(Optimizer.state_dict)
    load_state_dict = unwrap(Optimizer.load_state_dict)

    def zero_grad(self):
        """Forget the gradients, without reporting it to a profiler."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None


class _Adam(_Unwrapped, torch.optim.Adam):
    """Adam; its wrapper turns gradients off, too.

    On a processor, torch checks and sorts the same tensors in each step, which takes
    several times as long as a step of a small network. Here it only computes.
    """

    @torch.no_grad()
    def step(self, closure=None):
        """Take a step; the first one, which makes the state, as torch does."""
        moved = [self._gather(group) for group in self.param_groups]
        if closure is not None or None in moved:
            return self._step_of_torch(closure)
        for group, tensors in zip(self.param_groups, moved, strict=True):
            *changed, steps = tensors
            beta1, beta2 = group["betas"]
            torch._foreach_add_(steps, 1)
            torch._fused_adam_(
                *changed,
                [],
                steps,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )
        return None

    _step_of_torch = unwrap(torch.optim.Adam.step)

    def _gather(self, group):
        """Return the tensors of a step, None if torch has to look at them."""
        parameters = group["params"]
        kinds = {(parameter.device, parameter.dtype) for parameter in parameters}
        if len(kinds) != 1 or next(iter(kinds))[0] != _CPU:
            return None
        gradients = [parameter.grad for parameter in parameters]
        states = [self.state[parameter] for parameter in parameters]
        if not all(states) or any(gradient is None for gradient in gradients):
            return None
        kept = ([state[name] for state in states] for name in _KEPT)
        return parameters, gradients, *kept


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
