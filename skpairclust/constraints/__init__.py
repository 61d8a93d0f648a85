"""Must-link and cannot-link constraints that are sliced together with X."""

from skpairclust.constraints._container import PairwiseConstraints
from skpairclust.constraints._graph import ConstraintConflicts

__all__ = ["ConstraintConflicts", "PairwiseConstraints"]
