"""Several processes that fit one estimator together, in a group of torch.distributed.

Every process calls `fit` with the same arguments and gets the same result. What can be
done apart, such as restarts, is done by one process each; a single training is spread
over all of them, see `_spread`.
"""

import hashlib
import multiprocessing
import os
import threading
import warnings
from contextlib import contextmanager
from itertools import zip_longest

import torch
from sklearn.utils import check_random_state
from torch import distributed

from skpairclust.neural._fingerprint import update_with

# Where a process has one item less than others.
_NOTHING = object()


class Group:
    """The processes that fit together; by itself, one that is alone.

    Attributes
    ----------
    rank, size : int
        The number of this process, and how many there are.
    """

    rank, size = 0, 1

    @property
    def is_alone(self):
        """Whether there is no other process."""
        return self.size == 1

    def choose_random_state(self, random_state):
        """Return the `random_state` of an estimator, the same one for all."""
        return random_state

    def agree(self, describe):
        """Raise unless all processes describe the same fit, see `describe_fit`."""

    def share(self, value):
        """Return the value of the first process."""
        return value

    def gather(self, value):
        """Return the values of all processes, by rank."""
        return [value]

    def wait(self):
        """Wait until all processes have come here."""

    def sum(self, tensor):
        """Return the sum of the tensors of all processes."""
        return tensor

    def share_first(self, function):
        """Return what `function` returns, or raise what it raises, in the first one."""
        return function()

    def own_part(self, items):
        """Return the items that this process works on."""
        return items[self.rank :: self.size]

    def join_parts(self, parts):
        """Return the items whose `own_part` each process has, in their order."""
        rounds = zip_longest(*self.gather(parts), fillvalue=_NOTHING)
        return [item for items in rounds for item in items if item is not _NOTHING]

    def sum_gradients(self, parameters):
        """Give each parameter the sum of its gradients in all processes."""

    def equalize(self, network):
        """Give a network the state that it has in the first process."""


ALONE = Group()


class DistributedGroup(Group):
    """The default group of `torch.distributed`.

    Parameters
    ----------
    estimator : estimator
        Whose `fit` begins: the first message says which.
    """

    def __init__(self, estimator):
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._device = torch.device("cpu")
        if distributed.get_backend() == "nccl":
            self._device = torch.device("cuda", torch.cuda.current_device())
        self._has_agreed = False
        seed = None
        if estimator.random_state is None:
            seed = int(check_random_state(None).randint(2**31))
        hellos = self.gather((type(estimator).__name__, seed))
        if len({(name, seed is None) for name, seed in hellos}) > 1:
            names = ", ".join(name for name, _ in hellos)
            raise ValueError(
                "The processes of the torch.distributed group do not call the same "
                f"fit: they fit a {names}, and {sum(s is None for _, s in hellos)} of "
                f"{self.size} have a random_state."
            )
        self._seed = hellos[0][1]

    def choose_random_state(self, random_state):
        return random_state if self._seed is None else self._seed

    def agree(self, describe):
        told = describe()
        digests = {}
        # Each process has a device of its own.
        del told["device"]
        told["random_state"] = told.pop("seeds")
        for name, value in {**told.pop("params"), **told}.items():
            digest = hashlib.sha256()
            update_with(digest, value)
            digests[name] = digest.hexdigest()
        self._has_agreed = True
        _compare(self.gather((None, digests)))

    def leave(self, error):
        """Tell the others that there is nothing to agree on."""
        if not self._has_agreed:
            self._has_agreed = True
            self.gather((f"{type(error).__name__}: {error}", {}))

    def share(self, value):
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]

    def gather(self, value):
        values = [None] * self.size
        distributed.all_gather_object(values, value)
        return values

    def wait(self):
        self.gather(None)

    def sum(self, tensor):
        total = tensor.detach().to(self._device, copy=True)
        distributed.all_reduce(total)
        return total.to(tensor.device)

    def gather_rows(self, part, n_rows):
        """Return rows of which each process has every `size`-th, from `rank` on."""
        longest = -(-n_rows // self.size)
        padded = part.new_zeros(longest, *part.shape[1:], device=self._device)
        padded[: len(part)] = part
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        distributed.all_gather(parts, padded)
        rows = torch.stack(parts, dim=1).flatten(0, 1)[:n_rows]
        return rows.to(part.device)

    def share_first(self, function):
        value = error = None
        if self.rank == 0:
            try:
                value = function()
            except Exception as raised:
                error = raised
        value, error = self.share((value, error))
        if error is not None:
            raise error
        return value

    def sum_gradients(self, parameters):
        gradients = [p.grad for p in parameters if p.grad is not None]
        if not gradients:
            return
        # One message for all of them.
        total = self.sum(torch.cat([g.flatten() for g in gradients]))
        sizes = [g.numel() for g in gradients]
        for gradient, part in zip(gradients, total.split(sizes), strict=True):
            gradient.copy_(part.reshape(gradient.shape))

    def equalize(self, network):
        with torch.no_grad():
            for tensor in network.state_dict().values():
                shared = tensor.detach().to(self._device, copy=True).contiguous()
                distributed.broadcast(shared, src=0)
                tensor.copy_(shared)


@contextmanager
def join_group(estimator):
    """Yield the `Group` that an estimator is fitted in, for the length of its fit.

    Raises
    ------
    ValueError
        If processes fit something else, or a thread other than the main one fits.

    Warns
    -----
    UserWarning
        If torchrun has started several processes, but there is no group.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        _warn_of_no_group()
        yield ALONE
        return
    if distributed.get_world_size() == 1:
        yield ALONE
        return
    if threading.current_thread() is not threading.main_thread():
        raise ValueError(
            "fit was called in a thread of a process that is in a torch.distributed "
            "group: messages of several fits would be mixed up. Call it in the main "
            "thread, one fit at a time."
        )
    group = DistributedGroup(estimator)
    try:
        yield group
    except BaseException as error:
        group.leave(error)
        raise


def _compare(told):
    """Raise unless all processes agree; `told` has an error or digests of each."""
    for rank, (error, _) in enumerate(told):
        if error is not None:
            raise ValueError(
                f"The process of rank {rank} of the torch.distributed group cannot "
                f"fit, and so none does. It says {error}"
            )
    first = told[0][1]
    for rank, (_, digests) in enumerate(told):
        others = sorted(k for k in first | digests if first.get(k) != digests.get(k))
        if others:
            raise ValueError(
                f"The processes of rank 0 and {rank} of the torch.distributed group do "
                f"not fit the same: they differ in {', '.join(others)}. Call fit with "
                "the same data and parameters in all of them."
            )


def _warn_of_no_group():
    """Warn if torchrun has started this process with others, which fit apart."""
    is_launched = "TORCHELASTIC_RUN_ID" in os.environ
    # A process that one of joblib's or of multiprocessing's started is none of these.
    is_main = multiprocessing.current_process().name == "MainProcess"
    n_processes = int(os.environ.get("WORLD_SIZE", 1))
    if is_launched and is_main and n_processes > 1:
        warnings.warn(
            f"torchrun has started {n_processes} processes, but there is no group of "
            "torch.distributed: each of them makes the whole fit by itself. Call "
            "torch.distributed.init_process_group() before fit.",
            # From here over join_group, contextlib, fit and its two decorators.
            stacklevel=7,
        )
