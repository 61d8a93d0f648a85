"""Inputs of steps in one block of memory."""

from typing import NamedTuple

import numpy as np
import pytest
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
inputs = st.builds(Inputs, *[st.none() | floats | some_array] * 3)


def assert_equal(places, expected):
    for place, value in zip(places, expected, strict=True):
        if value is None:
            assert place is None
        else:
            np.testing.assert_array_equal(place.numpy(), value)


@given(inputs)
def test_places_hold_the_inputs_as_they_are(drawn):
    staged = StagedInputs(drawn, CPU)
    assert_equal(staged.places, drawn)
    for place, value in zip(staged.places, drawn, strict=True):
        if isinstance(value, np.ndarray):
            assert place.numpy().dtype == value.dtype


def test_each_step_writes_over_the_one_before():
    staged = StagedInputs(Inputs(np.arange(3), None, 0.5), CPU)
    places = staged.places
    staged.write(Inputs(np.array([7, 8, 9]), None, 0.25))
    assert_equal(places, Inputs(np.array([7, 8, 9]), None, 0.25))


def test_inputs_of_another_shape_are_refused():
    staged = StagedInputs(Inputs(np.arange(3)), CPU)
    with pytest.raises(ValueError, match="could not broadcast"):
        staged.write(Inputs(np.arange(4)))
