"""Settings and data shared by the tests."""

import pytest
from hypothesis import settings
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import StandardScaler

# A busy machine is no failure.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def iris():
    """150 standardized rows of 4 features and their 3 classes."""
    X, y = load_iris(return_X_y=True)
    return _frozen(StandardScaler().fit_transform(X), y)


@pytest.fixture(scope="session")
def digits():
    """500 images of 64 pixels in [0, 1] and their 10 classes."""
    X, y = load_digits(return_X_y=True)
    return _frozen(X[:500] / 16, y[:500])


def _frozen(*arrays):
    """Make the arrays read-only, since all tests of a session share them."""
    for array in arrays:
        array.flags.writeable = False
    return arrays
