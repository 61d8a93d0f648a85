"""Whether place and size of what images show say anything of their class."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from skpairclust.neural._centering import center

# Samples that are compared, pairs of each kind needed, and how much better distances
# of centered images must tell pairs apart. Digits and clothes gain .03 at most,
# characters as they are written gain .28.
_MOST_ROWS, _LEAST_PAIRS, _GAIN = 512, 20, 0.1


def gains_by_centering(rows, known):
    """Return whether distances of centered images tell pairs apart far better.

    Parameters
    ----------
    rows : FeatureRows
        Images, on the CPU.
    known : KnownGroups

    Returns
    -------
    bool
    """
    if not len(known.rich):
        return False
    members = np.sort(np.concatenate([known.members[group] for group in known.rich]))
    some = np.linspace(0, len(members) - 1, min(len(members), _MOST_ROWS))
    members = members[some.astype(np.int64)]
    relation = known.relation(members)[np.triu_indices(len(members), 1)]
    n_kinds = np.count_nonzero(relation > 0), np.count_nonzero(relation < 0)
    if min(n_kinds) < _LEAST_PAIRS:
        return False
    images = rows.take(members)
    images = images[:, None] if images.ndim == 3 else images
    before, after = (_score(x, relation) for x in (images, center(images)))
    return bool(after - before > _GAIN)


def _score(images, relation):
    """Return the area under the ROC curve of distances, of the pairs that are known."""
    distances = torch.pdist(images.flatten(1)).numpy()
    is_known = relation != 0
    return roc_auc_score(relation[is_known] > 0, -distances[is_known])
