"""What the benchmarks share: a record of the machine, result files, fair timing."""

import json
import os
import platform
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

import skpairclust

_PACKAGES = ("torch", "scikit-learn", "numpy", "scipy", "joblib")


def environment():
    """Return the versions and the machine that a result was measured with."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "skpairclust": skpairclust.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "device": gpu or "cpu",
        "n_cpus": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "n_threads": torch.get_num_threads(),
    }


def append_result(path, row):
    """Append a row to a file of JSON lines, in one write: runs may share the file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab", buffering=0) as file:
        file.write(f"{json.dumps(row)}\n".encode())
        os.fsync(file.fileno())


def read_rows(path):
    """Return the rows of a file, none if there is no file."""
    if not Path(path).exists():
        return []
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


@dataclass(frozen=True)
class Ratio:
    """How many times as long as B did A take, over rounds that ran both."""

    median: float
    low: float
    high: float
    a_seconds: float
    b_seconds: float

    def __str__(self):
        return (
            f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f}), "
            f"{self.a_seconds:.3g} s / {self.b_seconds:.3g} s"
        )


def median_ratio(name, a, b, *, n_rounds=7, n_warmup=1):
    """Time ``a()`` against ``b()`` in turns, print and return the :class:`Ratio`.

    Each round runs both and gives one ratio, so that a machine that is slow for a
    while slows both; every second round runs ``b`` first. On a GPU the functions must
    wait for their own work (``torch.cuda.synchronize``).
    """
    for _ in range(n_warmup):
        a()
        b()
    rounds = [_time_both(a, b, a_first=i % 2 == 0) for i in range(n_rounds)]
    ratios = [a_seconds / b_seconds for a_seconds, b_seconds in rounds]
    a_seconds, b_seconds = map(statistics.median, zip(*rounds, strict=True))
    ratio = Ratio(
        statistics.median(ratios), min(ratios), max(ratios), a_seconds, b_seconds
    )
    print(f"{name}: {ratio}", flush=True)
    return ratio


def _time_both(a, b, *, a_first):
    if not a_first:
        return _time_both(b, a, a_first=True)[::-1]
    start = time.perf_counter()
    a()
    middle = time.perf_counter()
    b()
    return middle - start, time.perf_counter() - middle
