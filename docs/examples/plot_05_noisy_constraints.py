"""
Noisy constraints
=================

People make mistakes, and trackers confuse two people. What do wrong pairs do to a
clustering, and what can you do about them?
"""

# %%
# A fifth of these 1,200 pairs states the opposite of the truth.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ClusterEmbeddingDisplay

# contradictions among pairs are the subject here
warnings.simplefilter("ignore", UserWarning)
X, y = load_digits(return_X_y=True)
X, y = X[:900] / 16, y[:900]
pairs = PairwiseConstraints.sample_from_labels(y, 1200, noise=0.2, random_state=0)
print(pairs, pairs.conflicts(), sep="\n")

# %%
# `conflicts` lists the pairs that contradict chains of others. They prove that
# something is wrong, but most wrong pairs do not contradict any other pair. Pass the
# share of wrong pairs as `noise_rate` if you know it; "estimate" estimates it during
# training. The loss then takes into account that a pair may be wrong, and wrong pairs
# are not memorized. Scores of different seeds differ by a few hundredths.
settings = {"not told": 0.0, "told": 0.2, "estimated": "estimate"}
models = {}
for name, rate in settings.items():
    model = ConstrainedNeuralClusterer(10, noise_rate=rate, random_state=0)
    models[name] = model.fit(X, pairs)
    score = adjusted_rand_score(y, model.labels_)
    print(f"{name}: adjusted Rand index {score:.3f}, rate {model.noise_rate_:.3f}")

# %%
# The pairs that the clusters violate are good candidates for a second look.
labels = models["estimated"].labels_
must, cannot = pairs.must_link, pairs.cannot_link
violated = np.concatenate(
    (
        must[labels[must[:, 0]] != labels[must[:, 1]]],
        cannot[labels[cannot[:, 0]] == labels[cannot[:, 1]]],
    )
)
is_must = labels[violated[:, 0]] != labels[violated[:, 1]]
is_wrong = (y[violated[:, 0]] == y[violated[:, 1]]) != is_must
print(f"{len(violated)} pairs are violated, {is_wrong.sum()} of these are wrong")

# %%
# In the picture, crosses mark these pairs.
ClusterEmbeddingDisplay.from_estimator(
    models["estimated"], X, pairs, random_state=0, max_pairs=300
)

# %%
# If you know which pairs are doubtful, give them a lower weight. Here, `|` combines the
# pairs of a careful and of a hasty observer, and each pair of the hasty one counts a
# fifth.
careful = PairwiseConstraints.sample_from_labels(y, 300, random_state=1)
hasty = PairwiseConstraints.sample_from_labels(y, 700, noise=0.2, random_state=2)
weighted = careful | PairwiseConstraints(
    hasty.must_link,
    hasty.cannot_link,
    n_samples=len(X),
    must_link_weight=np.full(hasty.n_must_link, 0.2),
    cannot_link_weight=np.full(hasty.n_cannot_link, 0.2),
)
print(weighted)
plt.show()
