"""Run a function of the tests in two processes that form a gloo group."""

import multiprocessing
import pickle
import traceback

import torch
from torch import distributed

# Seconds after which processes that still wait for each other are ended.
_PATIENCE = 180


def run_in_group(function, *args, folder, size=2):
    """Return what `function(rank, *args)` returns in each process, by rank.

    An exception is a result too, and None stands for a process that was killed.
    """
    context = multiprocessing.get_context("spawn")
    run = len(list(folder.glob("group-*")))
    meeting = folder / f"group-{run}"
    paths = [folder / f"result-{run}-{rank}" for rank in range(size)]
    processes = [
        context.Process(target=_join, args=(rank, size, meeting, path, function, args))
        for rank, path in enumerate(paths)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(_PATIENCE)
    waiting = [process for process in processes if process.is_alive()]
    for process in waiting:
        process.kill()
    meeting.touch()
    assert not waiting, "processes wait for each other"
    return [pickle.loads(p.read_bytes()) if p.exists() else None for p in paths]


def _join(rank, size, meeting, path, function, args):
    """Run the function as a member of a group, and write down its result."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size
    )
    try:
        result = function(rank, *args)
    except Exception as error:
        traceback.print_exc()
        result = type(error)(str(error))
    path.write_bytes(pickle.dumps(result))
