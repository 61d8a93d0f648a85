"""
A table of one's own
====================

A table has ids, categories, a date and missing values. A second table says of some
pairs of ids whether they belong together. This is the way from both to clusters with
ids.
"""

# %%
# The table is made up: machines from three makers. What we want to tell apart is how
# they are used: in shifts around the clock, by day, or now and then. No column says
# that, and the maker and the climate of the hall matter more for most columns.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ContingencyDisplay
from skpairclust.metrics import constraint_accuracy_score

rng = np.random.default_rng(0)
n = 500
use, maker = rng.integers(3, size=n), rng.integers(3, size=n)
warm = rng.normal(0, 4, n)  # some halls are warmer
machines = pd.DataFrame(
    {
        "maker": np.array(["Arlo", "Berg", "Cato"])[maker],
        "installed": pd.Timestamp("2020-01-01")
        + pd.to_timedelta(rng.integers(0, 1500, n), "D"),
        "power": np.array([4, 9, 15])[maker] + rng.normal(0, 1, n),
        "noise": np.array([60, 70, 64])[maker] + rng.normal(0, 2, n),
        "heat": 30 + warm + np.array([8, 2, -4])[use] + rng.normal(0, 1, n),
        "cooling": 15 + warm + rng.normal(0, 1, n),
        "starts": rng.poisson(np.array([4, 20, 8])[use]).astype(float),
    },
    index=pd.Index([f"M{k:04d}" for k in rng.permutation(9999)[:n]], name="machine"),
)
for column in ("heat", "starts"):  # sensors fail
    machines.loc[rng.random(n) < 0.08, column] = np.nan
machines.head()

# %%
# The pairs are a table as well. Technicians compared 300 pairs of machines, and were
# wrong about 1 % of them.
answers = PairwiseConstraints.sample_from_labels(use, 300, noise=0.01, random_state=0)
answers = answers.to_frame(machines).drop(columns="weight")
answers.sample(4, random_state=0)

# %%
# `from_frame` finds the row of each id. Every fifth pair is kept apart.
pairs = PairwiseConstraints.from_frame(answers, index=machines)
apart = np.arange(pairs.n_pairs) % 5 == 0
train_pairs, test_pairs = pairs.subset(~apart), pairs.subset(apart)
train_pairs

# %%
# Categories become columns, gaps are filled and marked, the date becomes an age.
machines["age"] = (pd.Timestamp("2025-01-01") - machines["installed"]).dt.days
numbers = ["power", "noise", "heat", "cooling", "starts", "age"]
features = make_column_transformer(
    (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["maker"]),
)
model = make_pipeline(features, ConstrainedNeuralClusterer(3, random_state=0))
clusters = model.fit(machines, train_pairs).predict(machines)

# %%
# These pairs are violated. Some of them are the wrong answers.
violated = pairs.violated(clusters)
print(f"{violated.n_pairs} of {pairs.n_pairs} pairs")
violated.to_frame(machines).head()

# %%
# KMeans takes no pairs. Both are scored on the pairs that were kept apart, where one
# cluster for all has .5.
kmeans = make_pipeline(features, KMeans(3, n_init=10, random_state=0)).fit(machines)
for name, labels in (("KMeans", kmeans.predict(machines)), ("with pairs", clusters)):
    print(f"{name}: {constraint_accuracy_score(test_pairs, labels):.3f}")

# %%
# KMeans, on the left, finds the makers. The pairs say that the use is meant.
names = np.array(["shifts", "by day", "now and then"])[use]
_, axes = plt.subplots(ncols=2, figsize=(9, 3), layout="constrained")
for ax, pipeline in zip(axes, (kmeans, model), strict=True):
    ContingencyDisplay.from_estimator(pipeline, machines, names, ax=ax)
plt.show()

# %%
# The ids go along into the result; `to_csv` writes it. The machines that the model is
# least sure about come first.
sure = model.predict_proba(machines).max(axis=1).round(3)
result = pd.DataFrame({"cluster": clusters, "sure": sure}, index=machines.index)
result.sort_values("sure").head()
