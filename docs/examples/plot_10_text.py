"""
Texts, from raw strings to clusters
===================================

A pipeline turns texts into TF-IDF features, reduces them with a truncated SVD, and
clusters them. Pairs say which texts are about the same topic. The whole pipeline can be
cross-validated.
"""

# %%
# We make up messages to a help desk about four topics. More than half of the words of
# each message are small talk. Two kinds of customers have their own way of speaking.
# Without pairs, this is as good a reason to group texts as their topic.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ContingencyDisplay
from skpairclust.metrics import get_scorer
from skpairclust.model_selection import ConstraintKFold

matters = {
    "invoice": "invoice amount charged card refund payment tax total bill price",
    "delivery": "parcel courier late address delivery track lost door box arrived",
    "login": "password account locked email login reset code screen user name",
    "device": "battery screen broken charger noise heat button device repair warranty",
}
manners = [
    "hello please kindly thank you regards would like could sincerely",
    "hey asap now seriously again come on fix this thing quick",
]
rng = np.random.default_rng(0)
names = np.array(list(matters))
topic, manner = rng.integers(4, size=800), rng.integers(2, size=800)
texts = [
    " ".join(
        np.concatenate(
            (
                rng.choice(matters[names[t]].split(), 4),
                rng.choice(manners[m].split(), 7),
            )
        )
    )
    for t, m in zip(topic, manner, strict=True)
]
print(texts[0], "|", names[topic[0]])

# %%
# Suppose that somebody compared 300 pairs of messages.
pairs = PairwiseConstraints.sample_from_labels(topic, 300, random_state=0)
features = (TfidfVectorizer(), TruncatedSVD(30, random_state=0))
model = make_pipeline(
    *features, ConstrainedNeuralClusterer(4, max_iter=30, random_state=0)
)
model.fit(texts, pairs)
plain = make_pipeline(*features, KMeans(4, n_init=10, random_state=0)).fit(texts)
for name, pipeline in (("KMeans", plain), ("with pairs", model)):
    labels = pipeline.predict(texts)
    print(f"{name}: adjusted Rand index {adjusted_rand_score(topic, labels):.3f}")

# %%
# KMeans, on the left, finds the two ways of speaking and splits them.
_, axes = plt.subplots(ncols=2, figsize=(9, 3), layout="constrained")
for axis, pipeline in zip(axes, (plain, model), strict=True):
    ContingencyDisplay.from_estimator(pipeline, texts, names[topic], ax=axis)

# %%
# New messages go through the whole pipeline.
print(model.predict(["my card was charged twice", "the parcel is lost"]))

# %%
# Cross-validation on held-out pairs fits the whole pipeline in each fold, including the
# vectorizer.
scores = cross_val_score(
    model,
    texts,
    pairs,
    cv=ConstraintKFold(3, random_state=0),
    scoring=get_scorer("constraint_accuracy"),
    error_score="raise",
)
print(f"held-out pairs kept: {scores.mean():.3f} ± {scores.std():.3f}")
plt.show()
