"""Make the files of an old version anew, with the oldest supported dependencies.

    make .venv-min/.installed
    .venv-min/bin/python -m tests.neural.data.make

Only before a release changes what pickles hold: afterward the files stay as they are,
since what they prove is that the pickles of users keep loading.
"""

import pickle
from pathlib import Path

import torch
from sklearn.datasets import load_iris

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints

FOLDER = Path(__file__).parent


def main():
    torch.set_num_threads(1)
    X, y = load_iris(return_X_y=True)
    constraints = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    clusterer = ConstrainedNeuralClusterer(
        3, hidden_layer_sizes=(8, 6), max_iter=10, device="cpu", random_state=0
    ).fit(X, constraints)
    clusterer.save(FOLDER / "v0.1.safetensors")
    content = {
        "clusterer": clusterer,
        "constraints": constraints,
        "proba": clusterer.predict_proba(X),
    }
    with open(FOLDER / "v0.1.pkl", "wb") as file:
        pickle.dump(content, file)


if __name__ == "__main__":
    main()
