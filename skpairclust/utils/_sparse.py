"""Sparse matrices in which no place is stored twice."""

from skpairclust.constraints._sparse import canonical

__all__ = ["canonical"]
