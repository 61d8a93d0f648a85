"""Must-link and cannot-link constraints that are sliced together with X."""

from skpairclust._publish import publish
from skpairclust.constraints._container import PairwiseConstraints
from skpairclust.constraints._explanation import PairExplanation
from skpairclust.constraints._graph import ConstraintConflicts

__all__ = ["ConstraintConflicts", "PairExplanation", "PairwiseConstraints"]

publish(__name__, globals())
# Users import it from the top.
PairwiseConstraints.__module__ = "skpairclust"
