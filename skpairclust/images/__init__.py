"""Images on their way to an estimator."""

from skpairclust._publish import publish
from skpairclust.images._cache import cache_features
from skpairclust.images._centering import CenterImages
from skpairclust.images._files import BrokenImageError
from skpairclust.images._folder import ImageFolder

__all__ = ["BrokenImageError", "CenterImages", "ImageFolder", "cache_features"]

publish(__name__, globals())
