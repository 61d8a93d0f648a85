"""A page in the browser on which a person says which samples belong together.

``python -m skpairclust.label FILE`` opens it for a folder of images, a table or texts,
and :func:`label_pairs` from Python. It needs the packages of the extra "label":
``pip install "skpairclust[label]"``.
"""

from skpairclust._publish import publish
from skpairclust.label._columns import as_days, as_texts
from skpairclust.label._errors import LabelError
from skpairclust.label._image_features import ImageFeatures
from skpairclust.label._label_pairs import label_pairs
from skpairclust.label._page import LabelPage

__all__ = [
    "ImageFeatures",
    "LabelError",
    "LabelPage",
    "as_days",
    "as_texts",
    "label_pairs",
]

publish(__name__, globals())
