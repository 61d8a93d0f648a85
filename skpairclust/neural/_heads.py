"""Networks of users, and the layer of any network whose inputs are its features."""

import copy
import threading
from collections.abc import Mapping

import torch
from torch import nn

# What a thread notes while it asks for features: see `forward_features`.
_noted = threading.local()


def adopt(module, input_shape, n_outputs):
    """Return a network of the user's that can be trained, or say why it cannot.

    A copy, since the user may hand out one module several times. Of several outputs the
    first counts, or the one called `logits`; its head is known from then on. One that
    works in place gets copies of its inputs.

    Parameters
    ----------
    module : torch.nn.Module
    input_shape : tuple of int
        Shape of one sample.
    n_outputs : int

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    TypeError, ValueError
        If it cannot take samples, there is no `torch.nn.Linear`, or the outputs are not
        float32 of shape ``(n_samples, n_outputs)`` in training or in evaluation mode.
    """
    module = own_copy(module)
    # In training mode first: lazy layers get their shapes.
    for training in (True, False):
        x = _zeros(module, input_shape)
        version = x._version
        output, acted = _probe(module, x, training=training)
        if x._version != version:
            # Of a batch, the loss may need more than what the network leaves of it.
            module.register_forward_pre_hook(_copy_inputs)
        if not acted:
            raise ValueError(
                "The network has no torch.nn.Linear layer, so it has no last hidden "
                "layer to take features from: end it in a torch.nn.Linear."
            )
        if not isinstance(output, torch.Tensor):
            module.register_forward_hook(_keep_main_output)
            output = main_output(output)
        _check_output(output, input_shape, n_outputs)
    # The one that gives the output, or else the last before it.
    linears = [part for part, y in acted if y is output] or [part for part, _ in acted]
    mark_head(linears[-1])
    return module


def mark_head(linear):
    """Let a linear layer be known as the head of the network that holds it."""
    if _note_features not in linear._forward_pre_hooks.values():
        linear.register_forward_pre_hook(_note_features, with_kwargs=True)


def find_head(network):
    """Return the linear layer that acts last: its inputs are the features.

    For networks that were not adopted, the one that was registered last.
    """
    linear = [part for part in network.modules() if isinstance(part, nn.Linear)]
    marked = [m for m in linear if _note_features in m._forward_pre_hooks.values()]
    return (marked or linear)[-1]


def split_head(network, multiplier):
    """Return groups of parameters: the trunk, and the last linear layer.

    Parameters
    ----------
    network : torch.nn.Module
    multiplier : float
        Of the learning rate of the last layer.

    Returns
    -------
    list of dict
        As optimizers take them, with the factor under ``"multiplier"``.
    """
    head = list(find_head(network).parameters())
    in_head = {id(parameter) for parameter in head}
    trunk = [p for p in network.parameters() if id(p) not in in_head]
    groups = [{"params": head, "multiplier": multiplier}]
    return [{"params": trunk, "multiplier": 1.0}, *groups] if trunk else groups


def forward_features(network, x):
    """Return what the head of `network` gets for the input `x`, of shape (B, d).

    Threads may share the network: each notes what its own call gets.
    """
    _noted.wanted, _noted.features = True, None
    try:
        network(x)
        return _noted.features.flatten(1)
    finally:
        _noted.wanted, _noted.features = False, None


def count_features(network, input_shape):
    """Return how many features `forward_features` gives."""
    was_training = network.training
    x = _zeros(network, input_shape)
    with torch.no_grad():
        n_features = forward_features(network.eval(), x).shape[1]
    network.train(was_training)
    return n_features


def main_output(output):
    """Return the output of a network that stands for the others.

    Raises
    ------
    TypeError
        If there is none.
    """
    if isinstance(output, torch.Tensor):
        return output
    for name in ("logits", "out"):
        if isinstance(output, Mapping) and name in output:
            return main_output(output[name])
        if hasattr(output, name):
            return main_output(getattr(output, name))
    if isinstance(output, tuple | list) and output:
        return main_output(output[0])
    raise TypeError(
        f"network gives a {type(output).__name__} for a batch; it must give a tensor, "
        "or several of which the first, or the one called logits, is the output."
    )


def _note_features(module, args, kwargs):
    """Keep what the head gets, if this thread asked for it: a forward pre-hook."""
    if getattr(_noted, "wanted", False):
        _noted.features = args[0] if args else kwargs["input"]


def _copy_inputs(module, args):
    """Let a network work on copies: a forward pre-hook."""
    return tuple(x.clone() if isinstance(x, torch.Tensor) else x for x in args)


def _keep_main_output(module, args, output):
    """Return the main output of a network with several: a forward hook."""
    return main_output(output)


def own_copy(module):
    """Return a copy of a module; those that cannot be copied are used as they are."""
    try:
        return copy.deepcopy(module)
    except (RuntimeError, TypeError, NotImplementedError):
        return module


def _probe(module, x, *, training):
    """Return the output for two samples, and linear layers with theirs, in order.

    The module is left in the mode and with the statistics that it came with.
    """
    acted = []
    hooks = [
        part.register_forward_hook(lambda linear, _, y: acted.append((linear, y)))
        for part in module.modules()
        if isinstance(part, nn.Linear)
    ]
    was_training = module.training
    before = [(b, b.clone()) for b in module.buffers() if not _is_lazy(b)]
    try:
        with torch.no_grad():
            output = module.train(training)(x)
            for buffer, value in before:
                buffer.copy_(value)
    except Exception as error:
        raise ValueError(_explain_failure(module, x, error)) from error
    finally:
        module.train(was_training)
        for hook in hooks:
            hook.remove()
    return output, acted


def _explain_failure(module, x, error):
    """Return what to tell the user of whose network the first batch failed."""
    others = {p.dtype for p in module.parameters() if p.is_floating_point()}
    others -= {torch.float32}
    advice = (
        f"It must take float32 batches of shape (n_samples, *{tuple(x.shape[1:])})."
    )
    if others:
        names = ", ".join(sorted(map(str, others)))
        advice = (
            f"It has weights of {names}, while batches are float32: return "
            "network.float(), or convert inputs and outputs in its forward."
        )
    return (
        f"network failed on a batch of shape {tuple(x.shape)}: "
        f"{type(error).__name__}: {error}. {advice}"
    )


def _zeros(module, input_shape):
    """Return two samples of zeros where the module is."""
    parameter = next(module.parameters(), torch.empty(0, device="cpu"))
    device = "cpu" if _is_lazy(parameter) else parameter.device
    return torch.zeros(2, *input_shape, dtype=torch.float32, device=device)


def _is_lazy(tensor):
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(tensor, nn.parameter.UninitializedTensorMixin)


def _check_output(output, input_shape, n_outputs):
    """Raise unless two samples got one output per cluster, or component."""
    if tuple(output.shape) != (2, n_outputs):
        raise ValueError(
            f"network gives outputs of shape {tuple(output.shape)} for 2 samples of "
            f"shape {tuple(input_shape)}; it must give (2, {n_outputs}): a logit per "
            "cluster, without a softmax, or a column per component of an embedding."
        )
    if output.dtype != torch.float32:
        raise ValueError(
            f"network gives outputs of {output.dtype}; they must be torch.float32: end "
            "its forward in .float()."
        )
