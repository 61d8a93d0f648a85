"""Model selection with constraints: folds, pairs as samples, cross-validation."""

from skpairclust._publish import publish
from skpairclust.model_selection._pair_classifier import PairClassifier
from skpairclust.model_selection._split import ConstraintKFold
from skpairclust.model_selection._validation import cross_validate_constraints

__all__ = ["ConstraintKFold", "PairClassifier", "cross_validate_constraints"]

publish(__name__, globals())
