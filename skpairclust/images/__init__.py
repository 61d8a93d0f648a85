"""Images on their way to an estimator."""

from skpairclust._publish import publish
from skpairclust.images._centering import CenterImages

__all__ = ["CenterImages"]

publish(__name__, globals())
