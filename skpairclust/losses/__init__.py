"""Losses of pairs and triplets as PyTorch criteria, for training loops of one's own.

They take the outputs of a network for a batch, and labels or a relation matrix; the
estimators of the package minimize the same functions. PyTorch is needed.
"""

from skpairclust._publish import publish
from skpairclust.losses._distance_criteria import (
    ContrastiveLoss,
    LiftedLoss,
    TripletLoss,
)
from skpairclust.losses._pair_criteria import KCLLoss, MCLLoss

__all__ = ["ContrastiveLoss", "KCLLoss", "LiftedLoss", "MCLLoss", "TripletLoss"]

publish(__name__, globals())
