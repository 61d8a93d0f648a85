"""Figures that papers report, for the tables and plots beside our own.

Hsu & Kira (2016), arXiv:1511.06321; SpherePair (NeurIPS 2025) for its own and, with the
same network and pairs, the others' accuracies. A figure read from a plot has its
relation with it.
"""

# (data set, pairs): figure 3, the published method; CIFAR-10's are of training rows.
PARTIAL_CONSTRAINTS = {
    ("mnist", 1_200): {"purity": ("> ", 0.9), "nmi": ("> ", 0.8)},
    ("cifar10", 400_000): {"purity": ("about ", 0.8)},
    ("cifar10", 800_000): {"purity": ("about ", 1.0)},
}
OF_TRAINING_ROWS = ("cifar10",)

# Table 1: images per class (None: all) -> accuracy by cross-entropy and by pair loss.
FULL_SUPERVISION = {
    "mnist": {
        6: (0.824, 0.794),
        60: (0.947, 0.951),
        600: (0.983, 0.988),
        "all": (0.994, 0.996),
    },
    "cifar10": {
        5: (0.213, 0.220),
        50: (0.346, 0.370),
        500: (0.550, 0.532),
        "all": (0.737, 0.734),
    },
}

# Figure 5, right, 12,000 pairs of MNIST: NMI by clusters asked for, of the published
# method and of k-means on a Siamese embedding; read from the authors' picture.
N_CLUSTERS = {
    "published": {10: 0.955, 100: 0.928},
    "siamese": {10: 0.948, 100: 0.71},
}

# Test accuracy with 1,000, 5,000 and 10,000 random pairs, fully connected networks.
COMPARISON_PAIRS = (1_000, 5_000, 10_000)
COMPARISON = {
    "mnist": {
        "SpherePair": (0.917, 0.959, 0.970),
        "DCC": (0.880, 0.954, 0.970),
        "DC-GMM": (0.846, 0.941, 0.953),
        "MCL": (0.549, 0.826, 0.926),
    },
    "fashion_mnist": {
        "SpherePair": (0.698, 0.799, 0.836),
        "DCC": (0.576, 0.638, 0.740),
        "DC-GMM": (0.635, 0.773, 0.803),
        "MCL": (0.563, 0.752, 0.790),
    },
}
