"""Scores that compare a clustering with classes or constraints, and their scorers."""

from skpairclust._publish import publish
from skpairclust.metrics._classes import (
    clustering_accuracy_score,
    pairwise_f1_score,
    purity_score,
)
from skpairclust.metrics._labels import (
    constraint_accuracy_score,
    count_respected,
)
from skpairclust.metrics._precision import precision_at_k
from skpairclust.metrics._probabilities import (
    constraint_log_loss,
    constraint_roc_auc_score,
)
from skpairclust.metrics._retrieval import recall_at_k
from skpairclust.metrics._scorers import (
    ConstraintScorer,
    LabelScore,
    constraint_accuracy,
    constraint_roc_auc,
    get_scorer,
    get_scorer_names,
    make_label_scorer,
    neg_constraint_log_loss,
)

__all__ = [
    "ConstraintScorer",
    "LabelScore",
    "clustering_accuracy_score",
    "constraint_accuracy",
    "constraint_accuracy_score",
    "constraint_log_loss",
    "constraint_roc_auc",
    "constraint_roc_auc_score",
    "count_respected",
    "get_scorer",
    "get_scorer_names",
    "make_label_scorer",
    "neg_constraint_log_loss",
    "pairwise_f1_score",
    "precision_at_k",
    "purity_score",
    "recall_at_k",
]

publish(__name__, globals())
