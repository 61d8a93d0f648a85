"""
Asking the right questions
==========================

A learner chooses the pairs to ask about. Chosen answers say much more than answers
about random pairs.
"""

# %%
# The oracle is a rule here: it knows the digit on each image. A person or a language
# model would answer in the same way, 1 for "same" and -1 for "different". Half of the
# images are asked about, and the other half is scored.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split

from skpairclust import ConstrainedNeuralClusterer
from skpairclust.active import ActivePairLearner
from skpairclust.inspection import ActiveCurveDisplay

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, test_size=0.5, random_state=0)


def oracle(pairs):
    return np.where(y[pairs[:, 0]] == y[pairs[:, 1]], 1, -1)


# %%
# Five questions are asked at once, and after 20 there is a short fit. `update` fits in
# full to all answers so far. Random pairs need no fit in between.
CLUSTERER = ConstrainedNeuralClusterer(10)
SHORT = {"max_iter": 10, "warm_start": True}
scores, learners = {"chosen": [], "random": []}, {}
for name, strategy, refit in (
    ("chosen", "cover", SHORT),
    ("random", "random", "final"),
):
    learner = ActivePairLearner(
        CLUSTERER, strategy, refit=refit, n_init=1, random_state=0
    ).start(X)
    for n_answers in range(5, 201, 5):
        pairs = learner.ask()
        learner.tell(pairs, oracle(pairs))
        if n_answers in (100, 200):
            labels = learner.update().predict(X_test)
            scores[name].append(adjusted_rand_score(y_test, labels))
    learners[name] = learner
    print(f"{name}: {scores[name][-1]:.3f}. {learner.progress()}")

# %%
# On the left the adjusted Rand index on images that were not asked about, and on the
# right what the learner can say itself, without knowing the digits.
_, axes = plt.subplots(ncols=2, figsize=(11, 4), layout="constrained")
ActiveCurveDisplay.from_predictions(
    [100, 200], scores, ax=axes[0], value_name="adjusted Rand index"
)
ActiveCurveDisplay.from_estimator(learners["chosen"], ax=axes[1])
plt.show()

# %%
# The last questions, as a person would see them.
_, axes = plt.subplots(2, 8, figsize=(11, 3), layout="constrained")
for column, row in zip(axes.T, learners["chosen"].history_[-8:], strict=True):
    for ax, sample in zip(column, (row["i"], row["j"]), strict=True):
        ax.imshow(X[sample].reshape(8, 8), cmap="gray_r")
        ax.set_axis_off()
    column[0].set_title("same" if row["answer"] > 0 else "different")
plt.show()
