"""What the losses as criteria, torch modules, have in common."""

import torch
from torch import nn

from skpairclust.losses._relations import as_relation


class Criterion(nn.Module):
    """What all criteria share: checks, and a target that may be labels."""

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        outputs : Tensor of shape (B, d)
            What the network makes of the batch: logits of the clusters for `KCLLoss`
            and `MCLLoss`, embeddings for the others. Half precision is computed in
            float32.
        target : Tensor of shape (B,), integer, or of shape (B, B)
            One label per sample, negative for none: all pairs of labeled samples are
            known. Or the relation matrix, symmetric: positive for a must-link, negative
            for a cannot-link, 0 for unknown. The absolute value is the weight of the
            pair. The diagonal is not read. Values are checked on the CPU only.

        Returns
        -------
        Tensor
            A scalar. Its gradient has no second derivative.

        Raises
        ------
        TypeError, ValueError
            If `outputs` is no matrix of floating-point numbers, or `target` does not
            fit it.
        """
        if outputs.ndim != 2 or not outputs.is_floating_point():
            raise ValueError(
                f"outputs of shape {tuple(outputs.shape)} and {outputs.dtype} are none "
                "of a batch: pass floating-point numbers of shape (B, d)."
            )
        if outputs.dtype in (torch.float16, torch.bfloat16):
            outputs = outputs.float()
        return self._compute(outputs, as_relation(target, outputs))

    def extra_repr(self) -> str:
        """Return the parameters, for printing."""
        values = {k: v for k, v in vars(self).items() if k[0] != "_"}
        return ", ".join(f"{k}={v!r}" for k, v in values.items() if k != "training")


def check_option(name, value, options):
    """Raise unless a parameter is one of some names."""
    if value not in tuple(options):
        listed = ", ".join(map(repr, options))
        raise ValueError(f"{name}={value!r} must be one of {listed}.")


def check_least(name, value, least):
    """Raise unless a parameter is a finite number, not below `least` if that is one."""
    is_number = isinstance(value, (int, float)) and abs(value) < float("inf")
    if not is_number or (least is not None and value < least):
        bound = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name}={value!r} must be a finite number{bound}.")
