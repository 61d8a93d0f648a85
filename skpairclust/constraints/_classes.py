"""Names of classes that some samples carry beside the pairs."""

from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from skpairclust.constraints._labels import encode_labels, encode_values, split_missing
from skpairclust.constraints._pairs import first_few, freeze
from skpairclust.constraints._typing import AnyArray

if TYPE_CHECKING:
    from skpairclust.constraints import PairwiseConstraints


class NamedClasses:
    """What `PairwiseConstraints` keeps of labels that name the class."""

    # (n_samples,) int64, -1 = none, and the names by number; None: no sample has any.
    _classes: NDArray[np.int64] | None = None
    _class_names: NDArray | None = None

    def with_labels(self: "PairwiseConstraints", y: AnyArray) -> "PairwiseConstraints":
        """Add labels of some samples, and the pairs that they imply.

        The labels go where the pairs go: into folds and searches. A clusterer with a
        `classification_weight` learns from them which class each of its first clusters
        is; with ``pair_weight=0``, from them alone.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels as in :meth:`from_labels`, -1, None or NaN where there is none.

        Returns
        -------
        constraints : PairwiseConstraints
            These constraints and those of :meth:`from_labels`.

        Raises
        ------
        TypeError, ValueError
            If `y` cannot be labels of these samples, or these constraints already have
            labels.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> pairs = PairwiseConstraints([(2, 3)], [], n_samples=5)
        >>> c = pairs.with_labels(["cat", "dog", None, None, None])
        >>> c
        PairwiseConstraints(n_samples=5, must_link=1, cannot_link=1)
        >>> c[[1, 3, 2]].labels.tolist()
        ['dog', None, None]
        """
        if self._classes is not None:
            raise ValueError(
                "these constraints have labels already: give all of them at once."
            )
        codes = encode_labels(y)
        if len(codes) != self.n_samples:
            raise ValueError(
                f"y has {len(codes)} labels, but there are {self.n_samples} samples. "
                "Use -1 or None for samples without a label."
            )
        # Numbers come from the labels of all samples, so that folds agree on them.
        known, missing = split_missing(y, "y")
        names = known[codes[~missing] >= 0]
        constraints = self | type(self).from_labels(y)
        return constraints._set_classes(codes, encode_values(names)[0])

    @property
    def labels(self) -> NDArray | None:
        """The labels of :meth:`with_labels`, (n_samples,) object, None for none.

        None if no sample was given any.
        """
        if self._classes is None or self._class_names is None:
            return None
        names = np.full(len(self._class_names) + 1, None, dtype=object)
        names[:-1] = self._class_names
        return names[self._classes]

    def _set_classes(self, classes, names) -> Self:
        """Keep numbers of classes and their names; None for neither."""
        self._classes = None if classes is None else freeze(classes)
        self._class_names = names
        return self

    def _slice_classes(self, rows):
        """Return the classes of some rows, and all names."""
        classes = None if self._classes is None else self._classes[rows]
        return classes, self._class_names

    def _unite_classes(self, other):
        """Return the classes and names of two sets of constraints for the same samples.

        Raises
        ------
        ValueError
            If they name classes differently.
        """
        if self._classes is None or other._classes is None:
            of = other if self._classes is None else self
            return of._classes, of._class_names
        if not np.array_equal(self._class_names, other._class_names):
            raise ValueError(
                "both sets of constraints have labels, but of other classes: "
                f"{first_few(self._class_names)} here and "
                f"{first_few(other._class_names)} there. Unite the labels first, and "
                "give them once to `with_labels`."
            )
        mine, theirs = self._classes, other._classes
        differ = np.flatnonzero((mine != theirs) & (mine >= 0) & (theirs >= 0))
        if len(differ):
            raise ValueError(
                f"the labels of samples {first_few(differ)} differ between the two "
                "sets of constraints."
            )
        return np.where(mine >= 0, mine, theirs), self._class_names
