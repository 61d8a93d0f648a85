"""Random fits: numbers, or an error that names what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.faults.campaign import Case, make_case, run, try_case

ROOT = Path(__file__).parents[2]


def test_some_random_fits():
    outcomes = run(80, seed=10_000)
    assert not outcomes["fault"]
    # Not all cases are wrong, and not all are right.
    assert outcomes["fitted"] > 15 and outcomes["ValueError"] > 15


@pytest.mark.slow
def test_two_thousand_random_fits():
    found = subprocess.run(
        [sys.executable, "-m", "tests.faults.campaign", "2000"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert found.returncode == 0, found.stdout
    assert "'fitted'" in found.stdout


def test_a_case_is_its_number():
    for seed in range(20):
        first, second = make_case(seed), make_case(seed)
        assert repr(first.estimator) == repr(second.estimator)
        assert repr(first.X) == repr(second.X)


class Careless:
    """An estimator with a fault of each kind."""

    def __init__(self, fault):
        self.fault = fault

    def get_params(self):
        return {}

    def fit(self, X):
        if self.fault == "changes X":
            X[0] = 0
        if self.fault == "says nothing":
            raise ValueError("It does not work.")
        if self.fault == "fails":
            raise KeyError("shape")
        return self

    def predict(self, X):
        return np.full(len(X), np.nan if self.fault == "no number" else 0.0)


@pytest.mark.parametrize("fault", ["changes X", "says nothing", "no number", "fails"])
def test_the_campaign_notices(fault):
    case = Case(Careless(fault), np.ones((3, 2)), {})
    with pytest.raises(KeyError if fault == "fails" else AssertionError):
        try_case(case)
    assert try_case(Case(Careless(None), np.ones((3, 2)), {})) == "fitted"
