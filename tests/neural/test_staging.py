"""Inputs of steps in one block of memory."""

from typing import NamedTuple

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from skpairclust.neural._staging import StagedInputs

CPU = torch.device("cpu")


class Inputs(NamedTuple):
    first: object = None
    second: object = None
    third: object = None


floats = st.floats(-1e6, 1e6, width=32)
some_array = st.sampled_from([np.int64, np.float32, np.float64, np.bool_]).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0))
)
flat = st.builds(Inputs, *[st.none() | floats | some_array] * 3)
inputs = st.builds(Inputs, *[st.none() | floats | some_array | flat] * 3)


def assert_equal(places, expected):
    for place, value in zip(places, expected, strict=True):
        if value is None:
            assert place is None
        elif isinstance(value, tuple):
            assert_equal(place, value)
        else:
            np.testing.assert_array_equal(place.numpy(), value)
            dtype = getattr(value, "dtype", np.float32)
            assert place.numpy().dtype == dtype


@given(inputs)
def test_places_hold_the_inputs_as_they_are(drawn):
    assert_equal(StagedInputs(drawn, CPU).places, drawn)


def test_each_step_writes_over_the_one_before():
    staged = StagedInputs(Inputs(np.arange(3), None, 0.5), CPU)
    places = staged.places
    staged.write(Inputs(np.array([7, 8, 9]), None, 0.25))
    assert_equal(places, Inputs(np.array([7, 8, 9]), None, 0.25))


def test_inputs_of_other_shapes_do_not_fit():
    staged = StagedInputs(Inputs(np.arange(3), None, Inputs(np.ones(2))), CPU)
    assert staged.fits(Inputs(np.arange(3), None, Inputs(np.zeros(2))))
    assert not staged.fits(Inputs(np.arange(4), None, Inputs(np.ones(2))))
    assert not staged.fits(Inputs(np.arange(3), None, Inputs(np.ones((2, 1)))))
    assert not staged.fits(Inputs(np.arange(3), np.arange(2), Inputs(np.ones(2))))
    assert not staged.fits(Inputs(np.arange(3)))
    assert not staged.fits(Inputs(np.arange(3), Inputs(np.ones(2)), None))
    assert not staged.fits(Inputs(np.arange(3.0), None, Inputs(np.ones(2))))
