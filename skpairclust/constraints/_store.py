"""How constraints are stored, compared and pickled, and what they refuse."""

import numpy as np

from skpairclust.constraints._groups import restore_relation, sort_relations
from skpairclust.constraints._pairs import freeze, restore


class ConstraintStore:
    """Canonical, read-only arrays of explicit pairs, and group relations.

    `_must_link`, `_must_link_weight`, `_cannot_link` and `_cannot_link_weight` hold
    the explicit pairs; `_relations` is a tuple of `GroupRelation`.
    """

    n_samples: int

    @classmethod
    def _from_parts(cls, n_samples, must=None, cannot=None, relations=()):
        """Build from canonical (pairs, weights) and relations, unchecked."""
        none = np.empty((0, 2), dtype=np.int64), np.empty(0)
        constraints = cls.__new__(cls)
        constraints._set_parts(n_samples, must or none, cannot or none, relations)
        return constraints

    def _set_parts(self, n_samples, must, cannot, relations):
        """Store the parts; arrays become read-only."""
        self.n_samples = n_samples
        self._must_link, self._must_link_weight = map(freeze, must)
        self._cannot_link, self._cannot_link_weight = map(freeze, cannot)
        self._relations = sort_relations(relations)
        # computed on demand; neither compared nor pickled
        self._cache = {}

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        return sum(array.nbytes for array in self._arrays())

    def __iter__(self):
        raise TypeError(
            "constraints are not iterable; iterate over the arrays `must_link` and "
            "`cannot_link`."
        )

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "constraints cannot become an array without losing what they mean; use "
            "`must_link` and `cannot_link`, or `to_matrix()`. Stratified splitters, "
            "scorers of labels and predict_proba in cross_val_predict ask for classes: "
            "use KFold or skpairclust.model_selection.ConstraintKFold, and "
            "skpairclust.metrics.get_scorer."
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConstraintStore):
            return NotImplemented
        mine, theirs = self._arrays(), other._arrays()
        return (
            self.n_samples == other.n_samples
            and len(mine) == len(theirs)
            and all(map(np.array_equal, mine, theirs))
        )

    __hash__ = None

    def __getstate__(self):
        return {
            "n_samples": self.n_samples,
            "must_link": (self._must_link, self._must_link_weight),
            "cannot_link": (self._cannot_link, self._cannot_link_weight),
            "relations": [tuple(relation) for relation in self._relations],
            # A container without labels has the hash that it had before there were any.
            **({} if self._classes is None else {"classes": self._classes}),
            **({} if self._classes is None else {"class_names": self._class_names}),
        }

    def __setstate__(self, state):
        self._set_parts(
            state["n_samples"],
            map(restore, state["must_link"]),
            map(restore, state["cannot_link"]),
            [restore_relation(*parts) for parts in state["relations"]],
        )
        classes = state.get("classes")
        classes = None if classes is None else restore(classes)
        self._set_classes(classes, state.get("class_names"))

    def __sizeof__(self):
        return object.__sizeof__(self) + self.nbytes

    def _arrays(self):
        """All arrays in a fixed order; equal for equal constraints."""
        parts = [self._must_link, self._must_link_weight]
        parts += [self._cannot_link, self._cannot_link_weight]
        for relation in self._relations:
            # an empty array keeps None apart from a list of pairs
            parts += [a if a is not None else np.empty(0) for a in relation]
        if self._classes is not None:
            parts += [self._classes, self._class_names]
        return parts
