"""How far a training is: all that its next step depends on."""

import math

import torch


class Progress:
    """Counts steps and epochs, keeps the best weights, and writes checkpoints.

    Parameters
    ----------
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
    compute_loss : callable
        With the methods ``state`` and ``restore``, if there is a checkpoint.
    run : TrainingRun
        Its curves are part of the state.
    checkpoint : Checkpoint or None
        If it has a training to go on with, all of the above are set to that.

    Attributes
    ----------
    epoch, step : int
        Those that are done, the steps of this epoch.
    best : dict or None
        State of the network after its best epoch.
    """

    def __init__(self, network, optimizer, compute_loss, run, checkpoint):
        self.network = network
        self.optimizer = optimizer
        self.compute_loss = compute_loss
        self.run = run
        self.checkpoint = checkpoint
        self.epoch = self.step = 0
        self.best, self._lowest = None, math.inf
        # Of the losses of this epoch.
        self._total = None
        state = None if checkpoint is None else checkpoint.go_on()
        if state is not None:
            self._restore(state)

    def end_step(self, loss):
        """Count a step with this loss, a scalar tensor."""
        # Summed on the device: reading the loss of each step would wait for the GPU.
        self._total = loss if self._total is None else self._total + loss
        self.step += 1
        if self.checkpoint is not None and self.checkpoint.is_due():
            self.checkpoint.write(training=self._state())

    def end_epoch(self):
        """Count an epoch and return the sum of its losses."""
        total, self._total = float(self._total), None
        self.epoch, self.step = self.epoch + 1, 0
        return total

    def keep_if_best(self, value, loss):
        """Keep the weights if `value` is the lowest so far."""
        if value < self._lowest:
            self._lowest, self.run.loss = value, loss
            self.best = {
                name: tensor.detach().clone()
                for name, tensor in self.network.state_dict().items()
            }

    def _state(self):
        """Return all of it as plain data and tensors."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict()["state"],
            "objective": self.compute_loss.state(),
            "best": self.best,
            "total": self._total,
            "counts": [self.epoch, self.step, self._lowest],
            "curves": [self.run.loss, self.run.loss_curve, self.run.criterion_curve],
        }

    def _restore(self, state):
        """Go to where another process was."""
        device = next(self.network.parameters()).device
        self.network.load_state_dict(state["network"])
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict(
            {"state": state["optimizer"], "param_groups": groups}
        )
        _lay_out_like_parameters(self.optimizer)
        self.compute_loss.restore(state["objective"])
        self.best = _on_device(state["best"], device)
        self._total = _on_device(state["total"], device)
        self.epoch, self.step, self._lowest = state["counts"]
        run = self.run
        run.loss, run.loss_curve, run.criterion_curve = state["curves"]


def _lay_out_like_parameters(optimizer):
    """Put averages of gradients in the order in memory that their weights have.

    Files know one order only. A fused optimizer takes what lies at the same place for
    the same weight, and those of convolutions lie with their channels last.
    """
    for parameter, own in optimizer.state.items():
        for name, value in own.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                own[name] = torch.empty_like(parameter).copy_(value)


def _on_device(value, device):
    """Return a tensor, or a dict of them, on a device; None stays."""
    if isinstance(value, dict):
        return {name: tensor.to(device) for name, tensor in value.items()}
    return value.to(device) if isinstance(value, torch.Tensor) else value
