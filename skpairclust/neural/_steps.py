"""One step of training: as it is, or recorded once on a GPU and played back.

A small network keeps a GPU busy for microseconds, while Python takes milliseconds to
say what it should do. A recorded step is said once.
"""

import torch

from skpairclust.neural._torch_utils import to_device

# Steps that are taken before one is recorded, so that libraries have set themselves up.
_N_WARM_UP = 3


def make_step(network, compute_loss, optimizer):
    """Return what takes a step: a callable of the learning rate, or of what scales it.

    Parameters
    ----------
    network : torch.nn.Module
    compute_loss : callable
        Takes the network and returns the loss of the next step. If it has the
        attribute ``can_record``, and that is true, it also has ``draw``, ``compute``
        and ``generators`` as `PairObjective` has them.
    optimizer : torch.optim.Optimizer

    Returns
    -------
    Step
    """
    can_record = getattr(compute_loss, "can_record", False)
    kind = RecordedStep if can_record and _can_replay(optimizer) else Step
    return kind(network, compute_loss, optimizer)


def _can_replay(optimizer):
    """Whether all that the optimizer reads and writes is on the GPU."""
    return all(
        isinstance(group["lr"], torch.Tensor) for group in optimizer.param_groups
    )


class Step:
    """A step as Python says it.

    Parameters
    ----------
    network : torch.nn.Module
    compute_loss : callable
    optimizer : torch.optim.Optimizer
    """

    def __init__(self, network, compute_loss, optimizer):
        self.network = network
        self.compute_loss = compute_loss
        self.optimizer = optimizer

    def __call__(self, rate):
        """Take one step and return its loss, detached."""
        self._set_rate(rate)
        return self._descend(lambda: self.compute_loss(self.network))

    def _set_rate(self, rate):
        """Set the learning rate, a number."""
        for group in self.optimizer.param_groups:
            own = rate * group.get("multiplier", 1.0)
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(own)
            else:
                group["lr"] = own

    def _descend(self, compute):
        """Follow the gradient of what `compute` returns."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = compute()
        loss.backward()
        self.optimizer.step()
        return loss.detach()


class RecordedStep(Step):
    """A step that a CUDA graph plays back.

    The inputs of each step are copied to where the graph reads them. The first steps
    are taken without a graph, and count like all others.
    """

    def __init__(self, network, compute_loss, optimizer):
        super().__init__(network, compute_loss, optimizer)
        self.device = next(network.parameters()).device
        self.graph = None
        self._n_taken = 0

    def __call__(self, rate):
        """Take one step and return its loss, detached."""
        self._set_rate(rate)
        drawn = self.compute_loss.draw(fixed_shapes=True)
        inputs = type(drawn)(*(_as_tensor(value, self.device) for value in drawn))
        self._n_taken += 1
        if self._n_taken <= _N_WARM_UP:
            return self._warm_up(inputs)
        if self.graph is None:
            self._record(inputs)
        for place, value in zip(self._inputs, inputs, strict=True):
            if value is not None:
                place.copy_(value)
        self.graph.replay()
        # The next step writes over the loss.
        return self._loss.clone()

    def _warm_up(self, inputs):
        """Take a step beside the main stream, as what is recorded later will be."""
        side, main = torch.cuda.Stream(self.device), torch.cuda.current_stream()
        side.wait_stream(main)
        with torch.cuda.stream(side):
            loss = self._descend(
                lambda: self.compute_loss.compute(self.network, inputs)
            )
        main.wait_stream(side)
        return loss

    def _record(self, inputs):
        """Record a step; it is not taken."""
        self._inputs = inputs
        self.graph = torch.cuda.CUDAGraph()
        for generator in self.compute_loss.generators:
            self.graph.register_generator_state(generator)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(self.graph):
            loss = self.compute_loss.compute(self.network, inputs)
            loss.backward()
            self.optimizer.step()
        self._loss = loss.detach()


def _as_tensor(value, device):
    """Return an array or a number as a tensor on the device, None as it is."""
    if value is None:
        return None
    if isinstance(value, float):
        # Filled there: nothing to wait for.
        return torch.full((), value, device=device)
    return to_device(value, device)
