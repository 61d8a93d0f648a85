"""Clustering without constraints, to compare the rest of the package with."""

from skpairclust._publish import publish
from skpairclust.cluster._affinity_propagation import AffinityPropagationK

__all__ = ["AffinityPropagationK"]

publish(__name__, globals())
