"""Tables of the page on experiments, from the result files of the benchmarks.

Each maker takes the rows of one file, ``benchmarks/results/<name>.jsonl``, and returns
Markdown. Rows that have another form than a maker expects are left out, not guessed.
Pages include ``generated/results_<name>.md``; those of published experiments are
``generated/published_<name>.md``.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import published_experiments
from markdown_tables import (
    GENERATED,
    format_rows,
    make_page,
    mean_and_error,
    table,
    titled,
)

from skpairclust.inspection import ConstraintCurveDisplay

_IMAGES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
# Measured at numbers of pairs of their own.
_SINGLE = ("moons", "circles", "vowel")
_NETWORKS = {"mlp": "", "lenet": ", LeNet"}
_RECALLS = {f"Recall@{k}": (f"recall_{k}", mean_and_error) for k in (1, 2, 4, 8)}
_NMI = {"NMI": ("nmi", mean_and_error)}


def latest(rows, *keys, having=()):
    """Return a frame of the last of the rows that agree in some keys."""
    needed = {*keys, *having}
    kept = {tuple(r[key] for key in keys): r for r in rows if needed <= r.keys()}
    return pd.DataFrame(list(kept.values()))


def summarize(runs, keys, columns):
    """Return a table with a line for each value of some columns, and how many seeds.

    `keys` has the headers of those columns; `columns`, for each header of the others,
    what is told of which column.
    """
    groups = runs.groupby(list(keys), sort=False)
    summary = groups.agg(seeds=("seed", "size"), **columns)
    return table(summary.reset_index().rename(columns=keys))


def median(values):
    """Return the median as text, without decimals."""
    return f"{values.median():.0f}"


def make_baselines(rows):
    """Tables of constrained k-means: one per data set, means over seeds."""
    runs = latest(rows, "data", "method", "seed", having=["ari"])
    count = partial(mean_and_error, digits=1)
    columns = {
        "seconds": ("seconds", mean_and_error),
        "ARI": ("ari", mean_and_error),
        "must-links violated": ("must_violated", count),
        "cannot-links violated": ("cannot_violated", count),
    }
    return "".join(
        titled(data, summarize(of_data, {"method": "method"}, columns))
        for data, of_data in runs.groupby("data", sort=False)
    )


def make_retrieval(rows):
    """Table of `recall_at_k` beside scikit-learn's search."""
    runs = latest(rows, "data", having=["times_as_fast"])
    runs["recall_1"] = runs["recall"].str[0]
    runs["mib"] = runs["recall_at_k_mib"].str[1]
    columns = {
        "data": ("data", ""),
        "Recall@1": ("recall_1", ".3f"),
        "seconds": ("seconds", ".1f"),
        "scikit-learn": ("sklearn_seconds", ".1f"),
        "times as fast": ("times_as_fast", ".2f"),
        "peak MiB": ("mib", ".0f"),
    }
    return format_rows(runs, columns)


def make_quality(rows):
    """Tables of the clusters' quality: images by setting, small tables by pairs."""
    noise = ("noise", "noise_rate_given")
    keys = ("dataset", "network", "unequal", *noise, "n_clusters", "pairs")
    runs = latest(rows, *keys, "balanced", "method", "n_init", "seed")
    is_image = runs["dataset"].isin(_IMAGES)
    in_columns = ~is_image & (runs["pairs"] > 0) & ~runs["dataset"].isin(_SINGLE)
    parts = (
        _list_settings(runs[is_image]),
        _by_pairs(runs[in_columns]),
        _list_runs(runs[~is_image & ~in_columns]),
    )
    return "\n\n".join(parts)


def _list_settings(runs):
    """Return a table with a line for each setting of images."""
    order = ["dataset", "network", "unequal", "noise", "n_clusters"]
    # What a fit was told may be no number: all are compared as text.
    runs = runs.sort_values(
        [*order, "noise_rate_given", "pairs"],
        key=lambda column: column.map(lambda value: f"{value!s:>9}"),
    )
    thinned = np.where(runs["unequal"], ", thinned (balanced accuracy)", "")
    told = zip(runs["noise"], runs["noise_rate_given"], strict=True)
    runs = runs.assign(
        data=runs["dataset"].map(_IMAGES) + thinned + runs["network"].map(_NETWORKS),
        flipped=[describe_noise(*noise) for noise in told],
        score=runs["accuracy"].where(~runs["unequal"], runs["balanced_accuracy"]),
    )
    columns = {
        "accuracy": ("score", partial(mean_and_error, digits=4)),
        **_NMI,
        "clusters in use": ("clusters_in_use", lambda values: f"{values.mean():.0f}"),
        "seconds": ("seconds", median),
    }
    keys = {"data": "data", "pairs": "pairs", "flipped": "flipped", "n_clusters": "k"}
    return summarize(runs, keys, columns)


def _by_pairs(runs):
    """Return a table of adjusted Rand indices with a column per number of pairs."""
    halved = np.where(runs["balanced"], ", half must-links", "")
    runs = runs.assign(
        data=runs["dataset"].str.replace("_", " ") + halved,
        place=pd.factorize(runs["dataset"])[0],
        is_other=runs["method"] != "default",
    )
    runs = runs.sort_values(["balanced", "place", "is_other"])
    return _spread(runs, ["data", "method"], "ARI, {} pairs")


def _spread(runs, index, header):
    """Return a table of adjusted Rand indices with a column per number of pairs."""
    scores = runs.pivot_table("ari", index, "pairs", mean_and_error, sort=False)
    scores = scores[sorted(scores)].rename(columns=header.format).fillna("-")
    return table(scores.reset_index())


def _list_runs(runs):
    """Return a table of adjusted Rand indices with a line for each number of pairs."""
    runs = runs[(runs["noise"] == 0) & ~runs["balanced"]]
    columns = {
        "ARI": ("ari", mean_and_error),
        "median": ("ari", lambda values: f"{values.median():.3f}"),
    }
    keys = {"dataset": "data", "pairs": "pairs", "method": "method"}
    return summarize(runs, keys, columns)


def describe_noise(share, told):
    """Say which share of pairs was flipped, and what the fit was told of it."""
    if not share:
        return ""
    if told == "estimate":
        return f"{share:.0%}, estimated"
    is_told = pd.notna(told) and told > 0
    return f"{share:.0%}, {'told' if is_told else 'not told'}"


def make_embedding(rows):
    """Table of embeddings of unseen classes: one line per method and knowledge."""
    rows = [row for row in rows if row.get("part") == "test"]
    columns = {
        **_NMI,
        "F1 of pairs": ("f1", mean_and_error),
        **_RECALLS,
        "CPU seconds": ("fit_seconds", median),
    }
    runs = latest(rows, "known", "method", "seed")
    return summarize(runs, {"method": "method", "known": "from"}, columns)


def make_embedding_losses(rows):
    """Table of what losses cost, beside pytorch-metric-learning."""
    columns = {
        "loss": ("loss", ""),
        "batch": ("batch", ""),
        "a class": ("per_class", ""),
        "ms": ("milliseconds", ".1f"),
        "distance matrices": ("distance_matrices", ".1f"),
        "MiB": ("mib", ".0f"),
        "times as fast": ("times_as_fast", ".1f"),
        "its ms": ("peer_milliseconds", ".0f"),
        "its MiB": ("peer_mib", ".0f"),
    }
    return format_rows(latest(rows, "loss", "batch", "per_class"), columns)


def make_embedding_peer(rows):
    """Table of embeddings trained with either package's loss."""
    runs = latest(rows, "loss", "package", "seed")
    is_own = runs["package"] == "skpairclust"
    runs["package"] = runs["package"].where(is_own, "pytorch-metric-learning")
    columns = {
        "Recall@1": _RECALLS["Recall@1"],
        **_NMI,
        "CPU seconds": ("cpu_seconds", median),
    }
    return summarize(runs, {"loss": "loss", "package": "package"}, columns)


def make_embedding_unlabeled(rows):
    """Table of embeddings with and without samples that have no label."""
    runs = latest(rows, "unlabeled", "seed").replace({"labeled only": "none"})
    columns = {"Recall@1": _RECALLS["Recall@1"], **_NMI}
    keys = {"unlabeled": "unlabeled, as classes of their own"}
    return summarize(runs, keys, columns)


def make_exemplars(rows):
    """Table of affinity propagation that is told the number of clusters."""
    columns = {
        "method": ("method", ""),
        "seed": ("seed", ""),
        "clusters asked": ("asked", ""),
        "found": ("found", ""),
        "NMI": ("nmi", ".3f"),
        "F1 of pairs": ("f1", ".3f"),
        "runs": ("n_runs", ""),
    }
    return format_rows(latest(rows, "method", "seed"), columns)


def make_pairs(rows):
    """Table of scores by number of pairs, with a picture of the same numbers."""
    runs = latest(rows, "method", "pairs", "seed", having=["ari"])
    draw_curves(runs)
    runs = runs.rename(columns={"method": "adjusted Rand index"})
    return _spread(runs, "adjusted Rand index", "{} pairs")


def draw_curves(runs):
    """Draw one curve per method; seeds that are missing somewhere are left out."""
    figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for method, of_method in runs.groupby("method", sort=False):
        scores = of_method.groupby("pairs")["ari"].agg(list)
        n_seeds = scores.str.len().min()
        ConstraintCurveDisplay.from_predictions(
            scores.index.tolist(),
            scores.str[:n_seeds].tolist(),
            score_name="adjusted Rand index",
            name=method,
            ax=ax,
        )
    figure.savefig(GENERATED / "pairs.png", dpi=120)
    plt.close(figure)


MAKERS = {
    "baselines": make_baselines,
    "embedding": make_embedding,
    "embedding_losses": make_embedding_losses,
    "embedding_peer": make_embedding_peer,
    "embedding_unlabeled": make_embedding_unlabeled,
    "exemplars": make_exemplars,
    "pairs": make_pairs,
    "quality": make_quality,
    "retrieval": make_retrieval,
}


def write_tables(app):
    """Write a file for each maker."""
    GENERATED.mkdir(exist_ok=True)
    texts = {
        f"results_{name}": make_page(name, maker) for name, maker in MAKERS.items()
    }
    # A benchmark and a published experiment share a name, "embedding".
    for name in published_experiments.MAKERS:
        texts[f"published_{name}"] = published_experiments.make_page(name)
    for name, text in texts.items():
        path = GENERATED / f"{name}.md"
        # an unchanged file keeps its date, so that pages are not built again
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app):
    """Write the tables before pages are read."""
    app.connect("builder-inited", write_tables)
    return {"parallel_read_safe": True}
