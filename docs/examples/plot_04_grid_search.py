"""
Choosing parameters without labels
==================================

Held-out pairs show which parameters are better. `ConstraintKFold` splits the samples so
that both the training and the test set contain whole pairs.
"""

# %%
# Plain k-fold tests on a pair only if both of its samples are in the test fold.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ConstraintCurveDisplay
from skpairclust.metrics import get_scorer
from skpairclust.model_selection import ConstraintKFold

X, y = load_wine(return_X_y=True)
pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
plain = [pairs[test].n_pairs for _, test in KFold(4, shuffle=True).split(X)]
print("pairs left to test on, plain folds:    ", plain)
cv = ConstraintKFold(4, random_state=0)
ours = [pairs[test].n_pairs for _, test in cv.split(X, pairs)]
print("pairs left to test on, ConstraintKFold:", ours)

# %%
# The report shows which share of the pairs is used in each fold.
pd.DataFrame(cv.report_).round(2)

# %%
# Any scikit-learn search accepts this splitter. The scorer compares predictions with
# held-out pairs. Scores that need labels would raise an error, which
# `error_score="raise"` makes visible.
pipeline = make_pipeline(
    StandardScaler(), ConstrainedNeuralClusterer(3, max_iter=15, random_state=0)
)
search = GridSearchCV(
    pipeline,
    {
        "constrainedneuralclusterer__pair_weight": [0.3, 1, 3],
        "constrainedneuralclusterer__hidden_layer_sizes": [(32,), (128, 128)],
    },
    scoring=get_scorer("constraint_roc_auc"),
    cv=cv,
    error_score="raise",
).fit(X, pairs)
results = pd.DataFrame(search.cv_results_)
results = results.rename(columns=lambda name: name.split("__")[-1])
results[["pair_weight", "hidden_layer_sizes", "mean_test_score", "std_test_score"]]

# %%
# The labels, which the search did not use, confirm the choice.
print("chosen:", {k.split("__")[1]: v for k, v in search.best_params_.items()})
print(f"adjusted Rand index: {adjusted_rand_score(y, search.predict(X)):.3f}")

# %%
# Would more pairs help? They would if the score on held-out pairs still rises with the
# number of training pairs.
ConstraintCurveDisplay.from_estimator(
    search.best_estimator_[-1],
    search.best_estimator_[0].transform(X),
    PairwiseConstraints.sample_from_labels(y, 300, random_state=1),
    train_sizes=[25, 50, 100, 200],
    cv=3,
    random_state=0,
)
plt.show()
