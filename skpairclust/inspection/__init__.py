"""Pictures of clusterings, searches and training, as scikit-learn displays.

They need matplotlib (``pip install "skpairclust[plot]"``).
"""

from skpairclust._publish import publish
from skpairclust.inspection._active_curve import ActiveCurveDisplay
from skpairclust.inspection._constraint_curve import ConstraintCurveDisplay
from skpairclust.inspection._contingency import ContingencyDisplay
from skpairclust.inspection._embedding import ClusterEmbeddingDisplay
from skpairclust.inspection._loss_curve import LossCurveDisplay
from skpairclust.inspection._retrieval import RetrievalDisplay

__all__ = [
    "ActiveCurveDisplay",
    "ClusterEmbeddingDisplay",
    "ConstraintCurveDisplay",
    "ContingencyDisplay",
    "LossCurveDisplay",
    "RetrievalDisplay",
]

publish(__name__, globals())
