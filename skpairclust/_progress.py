"""Progress on the terminal, without any extra package."""

import sys
import time


class EpochPrinter:
    """Print the epoch, the loss and the time: one line, rewritten if it can be.

    Called by the training loop after each epoch.

    Parameters
    ----------
    max_iter : int
        Epochs at most.
    label : str
        What is trained; begins the line.
    stream : file, optional
        Defaults to the standard output at the time of the call.
    """

    def __init__(self, max_iter, label, stream=None):
        self.max_iter = max_iter
        self.label = label
        self.stream = sys.stdout if stream is None else stream
        self._start = time.perf_counter()

    def __call__(self, run, network):
        """Print one epoch; never ends the training."""
        epoch = len(run.loss_curve)
        width = len(str(self.max_iter))
        line = (
            f"{self.label} epoch {epoch:{width}d}/{self.max_iter}  "
            f"loss {run.loss_curve[-1]: .4f}  best {run.loss: .4f}  "
            f"{time.perf_counter() - self._start:5.1f} s"
        )
        # A log file gets a line an epoch, a terminal one line that moves.
        moving = self.stream.isatty()
        self.stream.write(f"\r{line}" if moving else f"{line}\n")
        if moving and epoch == self.max_iter:
            self.stream.write("\n")
        self.stream.flush()
        return False
