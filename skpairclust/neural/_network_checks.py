"""What a network of the user's must be able to do, tried before the training."""

from contextlib import nullcontext

import torch

from skpairclust.neural._torch_utils import global_rng, to_numpy

# Rows of X that are sent through it.
_N_ROWS = 8


def check_own_network(architecture, X):
    """Raise unless a network of the user's can be trained on X, kept and used.

    It is built twice and sees a few rows of X; what became of it is thrown away.

    Parameters
    ----------
    architecture : Architecture
        Whose `network` is a callable.
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)

    Raises
    ------
    TypeError, ValueError
        If it would fail later, and where.
    """
    network, again = architecture.build(), architecture.build()
    _check_separate(network, again)
    _check_state(network)
    trainable = [p for p in network.parameters() if p.requires_grad]
    if not trainable:
        raise ValueError(
            "network has no trainable weight: requires_grad is False for all of its "
            "parameters. Leave at least the last layer trainable; or give its features "
            "as X, and train another network on them."
        )
    device = trainable[0].device
    n_rows = min(_N_ROWS, X.shape[0])
    x = architecture.make_rows(X, device).take(slice(0, n_rows))
    # Layers such as dropout draw from torch's global state.
    with global_rng(0, device):
        for training in (False, True):
            output = _try_out(network, x, training=training)
    if not output.requires_grad:
        raise ValueError(
            "network gives outputs that do not depend on its trainable weights: its "
            "forward detaches them, or runs under torch.no_grad()."
        )


def _check_separate(network, again):
    """Raise if two networks share weights, or are not the same."""
    shared = {id(p) for p in network.parameters()} & {id(p) for p in again.parameters()}
    if shared:
        raise ValueError(
            "network returns modules that share their weights each time it is called, "
            "and that cannot be copied: fits would change each other. Build a new "
            "module in each call."
        )
    first, second = (_outline(module) for module in (network, again))
    for name in first | second:
        if first.get(name) != second.get(name):
            raise ValueError(
                "network must build the same layers each time it is called; "
                f"{name!r} had the shape {first.get(name)} and then {second.get(name)}."
            )


def _outline(module):
    """Return the shapes of what is in the state of a module, by name."""
    return {
        name: tuple(value.shape) if isinstance(value, torch.Tensor) else None
        for name, value in module.state_dict().items()
    }


def _check_state(network):
    """Raise unless the state of a network can be kept, and training can start there."""
    for name, value in network.state_dict().items():
        if not isinstance(value, torch.Tensor) or not _can_be_kept(value):
            kind = getattr(value, "dtype", type(value).__name__)
            raise ValueError(
                f"network has {name!r} of {kind} in its state_dict, which cannot be "
                "kept: use parameters and buffers of float32, of other real numbers, "
                "of integers or of booleans."
            )
    for name, value in network.named_parameters():
        if not value.isfinite().all():
            raise ValueError(
                f"network has values in {name!r} that are not finite. Initialize or "
                "load its weights before it is returned."
            )


def _can_be_kept(tensor):
    """Whether there is an array of the values of a tensor."""
    try:
        to_numpy(tensor.flatten()[:1])
    except TypeError:
        return False
    return True


def _try_out(network, x, *, training):
    """Return the output for rows of X, or raise if it is of no use."""
    network.train(training)
    mode = "training" if training else "evaluation"
    with nullcontext() if training else torch.no_grad():
        output = network(x.clone())
    is_finite = output.detach().isfinite()
    if not is_finite.all():
        row = int(is_finite.all(1).int().argmin())
        raise ValueError(
            f"network gives {output[row, ~is_finite[row]][0].item()} in {mode} mode, "
            f"before any training, for X[{row}]. Look for a division by zero, a "
            "logarithm or an overflow in its forward; is X scaled?"
        )
    return output
