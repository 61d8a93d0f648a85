"""Embeddings in which distance means "same" or "different"."""

from skpairclust._publish import publish
from skpairclust.embedder._embedder import MetricEmbedder

__all__ = ["MetricEmbedder"]

publish("skpairclust", globals())
