"""Plots of the published experiments. Measured lines have colors, published ones none.

Every function takes records as `experiment_rows` makes them and writes a picture into
the folder of generated files.
"""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from experiment_rows import DATASETS, NETWORKS, list_lines, mean, select
from published_figures import (
    COMPARISON,
    COMPARISON_PAIRS,
    FULL_SUPERVISION,
    OF_TRAINING_ROWS,
    PARTIAL_CONSTRAINTS,
)

from skpairclust.inspection._style import COLORS, MARKERS, NEUTRAL

GENERATED = Path(__file__).parents[1] / "generated"
# One color and marker a method, the same in all plots.
_METHODS = {
    "default": ("default", 0),
    "default, vat": ('default, unlabeled="vat"', 3),
    "default, rate estimated": ("default, rate estimated", 4),
    "published": ("published method (KCL)", 2),
    "published, original optimizer": ("KCL, original optimizer", 5),
    "published, lower rate": ("KCL, a hundredth of its rate", 4),
    "features": ("its features + k-means", 6),
    "siamese": ("Siamese + k-means", 8),
    "mcl": ("MCL, pairs only", 1),
    "cross-entropy": ("cross-entropy", 3),
    "KMeans": ("KMeans", 3),
    "COPKMeans": ("COPKMeans", 7),
    "PCKMeans": ("PCKMeans", 8),
    "MPCKMeans": ("MPCKMeans", 9),
    "DCC-style": ("DCC-style", 5),
}
# Lines of another network than the paper's are faint: points alone look alike.
_OF_THE_PAPER, _FAINT = "lenet", 0.4
_NETWORK_LINES = {"lenet": "--", "mlp": "-", "color": "-"}
_PUBLISHED = {"color": "black", "linestyle": "none", "zorder": 5}
_PUBLISHED_LINES = ("-", "--", "-.", ":")
# Of a label, as a share of the axis.
_LABEL_WIDTH = 0.13


def draw_partial_constraints(records):
    """Purity and NMI of test rows by the number of pairs, a row of plots a data set."""
    datasets = list(dict.fromkeys(record["dataset"] for record in records))
    figure, axes = _make_axes(len(datasets), 2)
    for row, dataset in zip(axes, datasets, strict=True):
        for ax, metric in zip(row, ("purity", "nmi"), strict=True):
            of_test = _pick(records, dataset=dataset, part="test")
            _draw_lines(ax, of_test, "pairs", metric)
            _mark_published(ax, dataset, metric)
            ax.set(xscale="log", xlabel="pairs", ylabel=f"{_NAMES[metric]}, test rows")
            ax.set_title(DATASETS[dataset], fontsize="medium")
            ax.set_ylim(0, 1.05)
            reported = [pairs for of, pairs in PARTIAL_CONSTRAINTS if of == dataset]
            _label_ticks(ax, [*reported, *(record["pairs"] for record in of_test)])
    _finish(figure, axes, "partial_constraints")


def _mark_published(ax, dataset, metric):
    """Mark the figures of the paper; an arrow where it gives a lower bound."""
    for (of_dataset, pairs), known in PARTIAL_CONSTRAINTS.items():
        if of_dataset == dataset and metric in known:
            relation, value = known[metric]
            marker = "^" if relation.startswith(">") else "*"
            label = "published, at least" if marker == "^" else "published, about"
            if dataset in OF_TRAINING_ROWS:
                label += " (training rows)"
            ax.plot(pairs, value, marker=marker, ms=10, label=label, **_PUBLISHED)


def draw_noise(records):
    """Accuracy of test rows by the share of flipped pairs, a plot a number of pairs."""
    numbers = sorted({record["pairs"] for record in records})
    figure, axes = _make_axes(1, len(numbers))
    for ax, pairs in zip(axes[0], numbers, strict=True):
        _draw_lines(ax, _pick(records, pairs=pairs), "noise", "accuracy")
        ax.set(xlabel="share of pairs flipped", ylabel="accuracy, test rows")
        shares = sorted({record["noise"] for record in records})
        ax.set_xticks(shares, [f"{share:.0%}" for share in shares])
        ax.set_title(f"{pairs:,} pairs", fontsize="medium")
    _finish(figure, axes, "noise")


def draw_n_clusters(records):
    """NMI, and the clusters in use, by the number of clusters asked for."""
    figure, axes = _make_axes(1, 2)
    numbers = sorted({record["n_clusters"] for record in records})
    for ax, metric in zip(axes[0], ("nmi", "clusters_in_use"), strict=True):
        _draw_lines(ax, records, "n_clusters", metric)
        ax.set(xlabel="clusters asked for", ylabel=f"{_NAMES[metric]}, test rows")
        ax.set_xticks(numbers)
    axes[0, 1].plot(numbers, numbers, ":", color=NEUTRAL, lw=1)
    axes[0, 1].axhline(10, color=NEUTRAL, ls=":", lw=1)
    _finish(figure, axes, "n_clusters")


def draw_contingency(records):
    """Which class is in which cluster, for the largest number of clusters."""
    most = max(record["n_clusters"] for record in records)
    records = _pick(records, n_clusters=most)
    groups = select(records, "method", "network")
    shown = [
        (method, network, groups[method, network][0])
        for method, network in list_lines(records)
        if method != "features"
        # Rows from another experiment have no such table.
        and "contingency" in groups[method, network][0]["scores"]
    ]
    figure, axes = plt.subplots(
        len(shown), figsize=(7, 1.7 * len(shown)), layout="constrained", squeeze=False
    )
    for ax, (method, network, run) in zip(axes[:, 0], shown, strict=True):
        table = np.array(run["scores"]["contingency"])[:, :40]
        table = np.pad(table, [(0, 0), (0, 40 - table.shape[1])])
        # Columns in the order of the class that most of their samples have.
        order = np.lexsort([-table.max(axis=0), table.argmax(axis=0)])
        used = table.sum(axis=0)[order] > 0
        table = np.hstack([table[:, order[used]], table[:, order[~used]]])
        ax.imshow(np.sqrt(table), aspect="auto", cmap="cividis")
        title = f"{_METHODS[method][0]}, {NETWORKS[network]}, k = {most}"
        ax.set_title(title, fontsize="medium", loc="left")
        ax.set(ylabel="class", yticks=[0, 9])
        ax.spines[:].set_visible(False)
    axes[-1, 0].set_xlabel("the 40 largest clusters, by their class")
    _save(figure, "contingency")


def draw_full_supervision(records):
    """Accuracy by labeled images per class with the paper's, a plot per data set."""
    datasets = list(dict.fromkeys(record["dataset"] for record in records))
    figure, axes = _make_axes(1, len(datasets))
    for ax, dataset in zip(axes[0], datasets, strict=True):
        published = FULL_SUPERVISION[dataset]
        places = {number: place for place, number in enumerate(published)}
        of_data = [
            record | {"place": places[record["per_class"]]}
            for record in _pick(records, dataset=dataset)
        ]
        _draw_lines(ax, of_data, "place", "accuracy")
        for column, marker, label in ((0, "x", "cross-entropy"), (1, "*", "KCL")):
            scores = [pair[column] for pair in published.values()]
            ax.plot(scores, marker, ms=9, label=f"published, {label}", **_PUBLISHED)
        ax.set_xticks(list(places.values()))
        ax.set_xticklabels(["all" if n is None else str(n) for n in places])
        ax.set(xlabel="labeled images per class", ylabel="accuracy, test rows")
        ax.set_title(DATASETS[dataset], fontsize="medium")
    _finish(figure, axes, "full_supervision")


def draw_embedding(records):
    """Recall@1 and NMI of the methods, and the former by the size of a batch."""
    records = _pick(records, dataset="omniglot")
    figure, axes = plt.subplots(
        1, 2, figsize=(9, 4), layout="constrained", width_ratios=(1.3, 1)
    )
    methods = [record for record in records if record["part"] != "batch size"]
    groups = select(methods, "method")
    best_last = sorted(groups, key=lambda key: mean(groups[key], "recall_1"))
    for metric, marker, color in (("recall_1", "o", 0), ("nmi", "s", 2)):
        values = [mean(groups[key], metric) for key in best_last]
        axes[0].plot(
            values,
            range(len(values)),
            marker,
            color=COLORS[color],
            label=_NAMES[metric],
        )
        cut = [i for i, key in enumerate(best_last) if not groups[key][0]["planned"]]
        _hollow(axes[0], [values[i] for i in cut], cut, marker, COLORS[color])
    axes[0].set_yticks(range(len(best_last)), [key[0] for key in best_last])
    axes[0].grid(axis="y", color=NEUTRAL, alpha=0.2)
    by_size = select(_pick(records, part="batch size"), "batch_size")
    for metric, marker, color in (("recall_1", "o", 0), ("nmi", "s", 2)):
        sizes = sorted(size for (size,) in by_size)
        values = [mean(by_size[(size,)], metric) for size in sizes]
        axes[1].plot(sizes, values, marker=marker, color=COLORS[color])
        cut = [n for n in sizes if not by_size[(n,)][0]["planned"]]
        hollow = [values[sizes.index(n)] for n in cut]
        _hollow(axes[1], cut, hollow, marker, COLORS[color])
        axes[1].set_xticks(sizes)
    axes[0].set(xlabel="score of unseen characters")
    axes[1].set(xlabel="images m in a batch, lifted structure", ylabel="score")
    _finish(figure, axes[None], "embedding")


def draw_siamese_cost(records):
    """Seconds of a step by the number of pairs that an image is in."""
    networks = list(dict.fromkeys(record["network"] for record in records))
    figure, axes = _make_axes(1, len(networks))
    for ax, network in zip(axes[0], networks, strict=True):
        runs = sorted(_pick(records, network=network), key=lambda r: r["partners"])
        numbers = [run["partners"] for run in runs]
        for key, label, color, marker in (
            ("siamese_seconds", "Siamese network", 2, "s"),
            ("enumerated_seconds", "pairs enumerated in the loss", 0, "o"),
        ):
            seconds = [1000 * run[key] for run in runs]
            ax.plot(numbers, seconds, marker=marker, color=COLORS[color], label=label)
            cut = [place for place, run in enumerate(runs) if not run["planned"]]
            x, y = ([values[i] for i in cut] for values in (numbers, seconds))
            _hollow(ax, x, y, marker, COLORS[color])
        ax.set(xscale="log", yscale="log", xlabel="pairs per image")
        ax.set_ylabel("ms per step")
        ax.set_title(NETWORKS[network], fontsize="medium")
        _label_ticks(ax, numbers)
    _finish(figure, axes, "siamese_cost")


def draw_comparison(records):
    """Accuracy of test rows by number of pairs, with the published as gray lines."""
    figure, axes = _make_axes(1, len(COMPARISON))
    for ax, (dataset, published) in zip(axes[0], COMPARISON.items(), strict=True):
        of_data = _pick(records, dataset=dataset)
        _draw_lines(
            ax, [record | {"network": "mlp"} for record in of_data], "pairs", "accuracy"
        )
        for (method, scores), style in zip(
            published.items(), _PUBLISHED_LINES, strict=True
        ):
            label = f"{method}, published"
            ax.plot(COMPARISON_PAIRS, scores, ls=style, color=NEUTRAL, label=label)
        ax.set(xscale="log", xlabel="pairs", ylabel="accuracy, test rows")
        ax.set_title(DATASETS[dataset], fontsize="medium")
        _label_ticks(ax, COMPARISON_PAIRS)
    _finish(figure, axes, "comparison")


_NAMES = {
    "purity": "purity",
    "nmi": "NMI",
    "recall_1": "Recall@1",
    "clusters_in_use": "clusters in use",
}


def _pick(records, **values):
    """Return the records that have some values."""
    return [r for r in records if values.items() <= r.items()]


def _draw_lines(ax, records, key, metric):
    """Draw a line a method and network through the means over seeds."""
    groups = select(records, "method", "network", key)
    lines = list_lines(records)
    networks = {n for m, n in lines if not m.startswith("default")}
    for method, network in lines:
        is_told = len(networks) > 1 and not method.startswith("default")
        at = sorted(x for m, n, x in groups if (m, n) == (method, network))
        values = [mean(groups[method, network, x], metric) for x in at]
        label, color = _METHODS[method]
        if is_told:
            label += f", {NETWORKS[network]}"
        ax.plot(
            at,
            values,
            ls=_NETWORK_LINES[network],
            marker=MARKERS[color % len(MARKERS)],
            ms=5,
            color=COLORS[color],
            alpha=_FAINT if is_told and network != _OF_THE_PAPER else 1,
            label=label,
        )
        cut = [x for x in at if not groups[method, network, x][0]["planned"]]
        hollow = [values[at.index(x)] for x in cut]
        _hollow(ax, cut, hollow, MARKERS[color % len(MARKERS)], COLORS[color])


def _hollow(ax, x, y, marker, color):
    """Draw over the points of cells that were cut short."""
    ax.plot(x, y, marker, ms=5, color=color, markerfacecolor="white", zorder=3)


def _make_axes(n_rows, n_columns):
    """Return a figure and its axes, always as a 2-d array."""
    size = (max(5.0, 4.0 * n_columns), 3.4 * n_rows + 1.0)
    return plt.subplots(
        n_rows, n_columns, figsize=size, layout="constrained", squeeze=False
    )


def _label_ticks(ax, values):
    """Put ticks of a logarithmic axis where there are values, labels where they fit."""
    values = sorted(set(values))
    least = _LABEL_WIDTH * math.log(values[-1] / values[0])
    labels, last = [], 0.0
    for value in values:
        fits = not last or math.log(value / last) >= least
        text = f"{value // 1000}k" if value >= 10_000 else f"{value:,}"
        labels.append(text if fits else "")
        last = value if fits else last
    ax.set_xticks(values, labels)
    ax.set_xticks([], minor=True)


def _finish(figure, axes, name):
    """Add one legend for all axes below them, and save."""
    handles = {}
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=min(3, 1 + axes.shape[1]),
        fontsize="small",
        frameon=False,
    )
    _save(figure, name)


def _save(figure, name):
    figure.savefig(GENERATED / f"experiment_{name}.png", dpi=120)
    plt.close(figure)
