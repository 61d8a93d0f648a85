"""Choose the pairs to ask about: strategies, and a learner that asks and fits.

Answers are the scarce thing. A few hundred well chosen ones say more than many
thousands about random pairs.
"""

from skpairclust._publish import publish
from skpairclust.active._cover import CoverQuery
from skpairclust.active._others import (
    ExploreConsolidate,
    RandomQuery,
    UncertaintyQuery,
)

__all__ = [
    "CoverQuery",
    "ExploreConsolidate",
    "RandomQuery",
    "UncertaintyQuery",
]

publish(__name__, globals())
