"""Choose the pairs to ask about: strategies, and a learner that asks and fits.

Answers are the scarce thing. A few hundred well chosen ones say more than many
thousands about random pairs.
"""

from skpairclust._publish import publish
from skpairclust.active._cover import CoverQuery
from skpairclust.active._group_questions import GroupQuestion, query_groups
from skpairclust.active._learner import ActivePairLearner
from skpairclust.active._others import (
    ExploreConsolidate,
    RandomQuery,
    UncertaintyQuery,
)
from skpairclust.active._progress import AnswerProgress

__all__ = [
    "ActivePairLearner",
    "AnswerProgress",
    "CoverQuery",
    "ExploreConsolidate",
    "GroupQuestion",
    "RandomQuery",
    "UncertaintyQuery",
    "query_groups",
]

publish(__name__, globals())
