"""One step of training: as it is, or recorded once on a GPU and played back.

A small network keeps a GPU busy for microseconds, while Python takes milliseconds to
say what it should do. A recorded step is said once.
"""

import math
import warnings
from functools import cache

import torch

from skpairclust.neural._distributed import ALONE
from skpairclust.neural._staging import StagedInputs

# Steps that are taken before one is recorded, so that libraries have set themselves up.
_N_WARM_UP = 3


def make_step(network, compute_loss, optimizer):
    """Return what takes a step, a callable of the learning rate.

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
        self.group = getattr(compute_loss, "group", ALONE)

    def __call__(self, rate):
        """Take one step and return its loss, detached.

        If the device has no memory left and holds all of X, it gets its batches from
        the host from then on.
        """
        self._set_rate(rate)
        try:
            return self._take()
        except torch.cuda.OutOfMemoryError:
            if not self._make_room():
                raise
        # Not while the error is handled, which keeps what the failed step has made.
        return self._take()

    def _take(self):
        """Take a step with the rate that is set."""
        return self._descend(lambda: self.compute_loss(self.network))

    def _make_room(self):
        """Take X off the device; return whether it was there."""
        rows = getattr(self.compute_loss, "rows", None)
        # The others would wait for the half of a step that was sent to them.
        if rows is None or not rows.is_resident or not self.group.is_alone:
            return False
        rows.leave_device()
        warnings.warn(
            f"The memory of {rows.device} holds all of X, but not what training needs "
            "beside it: batches come from the host from now on, which takes longer.",
            stacklevel=2,
        )
        return True

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
        self.optimizer.zero_grad()
        loss = compute()
        loss.backward()
        self.group.sum_gradients(self.network.parameters())
        self.optimizer.step()
        return loss.detach()


class RecordedStep(Step):
    """A step that a CUDA graph plays back.

    The inputs of each step are copied to where the graph reads them. The first steps
    are taken without a graph, and count like all others; so are all where recording
    fails.
    """

    def __init__(self, network, compute_loss, optimizer):
        super().__init__(network, compute_loss, optimizer)
        self.device = next(network.parameters()).device
        self.graph = self._inputs = None
        self._n_to_warm_up = _N_WARM_UP

    def _take(self):
        """Take a step with the rate that is set."""
        if not self.compute_loss.rows.is_resident:
            # There was no room for X, of which a record takes rows.
            self.graph = self._inputs = None
            return super()._take()
        drawn = self.compute_loss.draw(fixed_shapes=True)
        if self._n_to_warm_up:
            self._n_to_warm_up -= 1
            return self._warm_up(drawn)
        if self.graph is not None and not self._inputs.fits(drawn):
            self.graph = None
        if self.graph is None and not self._record(drawn):
            self._n_to_warm_up = math.inf
            return self._warm_up(drawn)
        self._inputs.write(drawn)
        self.graph.replay()
        # The next step writes over the loss.
        return self._loss.clone()

    def _warm_up(self, drawn):
        """Take a step beside the main stream, as what is recorded later will be."""
        inputs = StagedInputs(drawn, self.device).places
        side, main = _side_stream(self.device), torch.cuda.current_stream()
        side.wait_stream(main)
        with torch.cuda.stream(side):
            loss = self._descend(
                lambda: self.compute_loss.compute(self.network, inputs)
            )
        main.wait_stream(side)
        return loss

    def _record(self, drawn):
        """Record a step, which is not taken; return whether that was possible."""
        self._inputs = StagedInputs(drawn, self.device)
        graph = torch.cuda.CUDAGraph()
        for generator in self.compute_loss.generators:
            graph.register_generator_state(generator)
        self.optimizer.zero_grad()
        try:
            with torch.cuda.graph(graph):
                loss = self.compute_loss.compute(self.network, self._inputs.places)
                loss.backward()
                self.optimizer.step()
        except RuntimeError as error:
            warnings.warn(
                f"The steps of this training could not be recorded ({error}); they "
                "are taken one by one, which takes longer.",
                stacklevel=2,
            )
            return False
        self.graph, self._loss = graph, loss.detach()
        return True


@cache
def _side_stream(device):
    """Return the one stream of a device to warm up in.

    Libraries keep a workspace of megabytes for each stream that they have seen.
    """
    return torch.cuda.Stream(device)
