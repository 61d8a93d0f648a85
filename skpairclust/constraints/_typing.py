"""Types of what the public functions take, for checkers such as mypy and pyright.

scikit-learn, SciPy and most data frames have no complete types of their own.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike


class HasShape(Protocol):
    """A data frame, a sparse matrix, a file on disk, a tensor, or constraints."""

    @property
    def shape(self) -> Any:
        """Sizes of the axes."""


class Indexable(Protocol):
    """Samples that are read when they are needed, such as a data set of PyTorch."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


# A sequence of anything is a list with names and None in it, or a list of images.
AnyArray: TypeAlias = ArrayLike | HasShape | Sequence[Any]
RandomState: TypeAlias = int | np.random.RandomState | None
Samples: TypeAlias = AnyArray | Indexable
