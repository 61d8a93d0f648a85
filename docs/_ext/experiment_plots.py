"""Plots of the published experiments. Measured lines have colors, published ones none.

Every function takes a frame as `experiment_rows` makes it and writes a picture into the
folder of generated files.
"""

import base64
import math

import matplotlib.pyplot as plt
import numpy as np
from experiment_rows import DATASETS, NETWORKS, average, by_dataset, select
from markdown_tables import GENERATED
from published_figures import (
    COMPARISON,
    COMPARISON_PAIRS,
    FULL_SUPERVISION,
    OF_TRAINING_ROWS,
    PARTIAL_CONSTRAINTS,
)

from skpairclust.inspection._style import COLORS, MARKERS, NEUTRAL

# One color and marker per method, the same in all plots.
_METHODS = {
    "default": ("default", 0),
    "default, vat": ('default, unlabeled="vat"', 3),
    "default, rate estimated": ("default, rate estimated", 4),
    "published": ("published method (KCL)", 2),
    "published, original optimizer": ("KCL, authors' optimizer", 5),
    "published, torch7": ("KCL, authors' optimizer and weights", 4),
    "features, Euclidean": ("features of these + k-means", 7),
    "features, cosine": ("features of these + k-means, cosine", 9),
    "features": ("features of KCL + k-means", 6),
    "siamese": ("Siamese + k-means", 8),
    "siamese, torch7": ("Siamese as published + k-means", 3),
    "siamese, cosine": ("the same, cosine", 5),
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
# Letters of an entry from which on a legend has two columns.
_LONG = 36
# Of a label, as a share of the axis.
_LABEL_WIDTH = 0.13


_NAMES = {
    "purity": "purity",
    "nmi": "NMI",
    "recall_1": "Recall@1",
    "clusters_in_use": "clusters in use",
}


def draw_partial_constraints(frame):
    """Purity and NMI of test rows by the number of pairs, one row per data set."""
    parts = by_dataset(frame[frame["part"] == "test"])
    figure, axes = _make_axes(len(parts), 2)
    for row, (dataset, of_data) in zip(axes, parts, strict=True):
        reported = [pairs for of, pairs in PARTIAL_CONSTRAINTS if of == dataset]
        for ax, metric in zip(row, ("purity", "nmi"), strict=True):
            _draw_lines(ax, of_data, "pairs", metric)
            for pairs in reported:
                _mark_published(ax, dataset, pairs, metric)
            ax.set(xscale="log", xlabel="pairs", ylabel=f"{_NAMES[metric]}, test rows")
            ax.set_title(DATASETS[dataset], fontsize="medium")
            ax.set_ylim(0, 1.05)
            _label_ticks(ax, [*reported, *of_data["pairs"]])
    _finish(figure, axes, "partial_constraints")


def _mark_published(ax, dataset, pairs, metric):
    """Mark a figure of the paper, if any; an arrow where it is a lower bound."""
    known = PARTIAL_CONSTRAINTS[dataset, pairs]
    if metric in known:
        relation, value = known[metric]
        marker = "^" if relation.startswith(">") else "*"
        label = "published, at least" if marker == "^" else "published, about"
        if dataset in OF_TRAINING_ROWS:
            label += " (training rows)"
        ax.plot(pairs, value, marker=marker, ms=10, label=label, **_PUBLISHED)


def draw_noise(frame):
    """Accuracy of test rows by the share of flipped pairs, per number of pairs."""
    frame = frame[frame.groupby("pairs")["noise"].transform("nunique") > 1]
    shares = sorted(frame["noise"].unique())
    figure, axes = _make_axes(1, frame["pairs"].nunique())
    for ax, (pairs, of_pairs) in zip(axes[0], frame.groupby("pairs"), strict=True):
        _draw_lines(ax, of_pairs, "noise", "accuracy")
        ax.set(xlabel="share of pairs flipped", ylabel="accuracy, test rows")
        ax.set_xticks(shares, [f"{share:.0%}" for share in shares])
        ax.set_title(f"{pairs:,} pairs", fontsize="medium")
    _finish(figure, axes, "noise")


def draw_n_clusters(frame):
    """NMI, and the clusters in use, by the number of clusters asked for."""
    figure, axes = _make_axes(1, 2)
    numbers = sorted(frame["n_clusters"].unique())
    for ax, metric in zip(axes[0], ("nmi", "clusters_in_use"), strict=True):
        _draw_lines(ax, frame, "n_clusters", metric)
        ax.set(xlabel="clusters asked for", ylabel=f"{_NAMES[metric]}, test rows")
        ax.set_xticks(numbers)
    axes[0, 1].plot(numbers, numbers, ":", color=NEUTRAL, lw=1)
    axes[0, 1].axhline(10, color=NEUTRAL, ls=":", lw=1)
    _finish(figure, axes, "n_clusters")


def draw_contingency(frame):
    """Which class is in which cluster, for the largest number of clusters."""
    most = frame["n_clusters"].max()
    # Features, and rows from another experiment, have no such table.
    frame = frame[frame["contingency"].notna()]
    # The paper shows 30 clusters.
    as_published = frame[(frame["n_clusters"] == 30) & frame["map"].notna()]
    groups = select(frame[frame["n_clusters"] == most], "method", "network")
    shown = select(as_published, "method", "network") | groups
    figure, axes = plt.subplots(
        len(shown), figsize=(7, 1.7 * len(shown)), layout="constrained", squeeze=False
    )
    for ax, ((method, network), runs) in zip(axes[:, 0], shown.items(), strict=True):
        table = np.array(runs["contingency"].iloc[0])[:, :40]
        table = np.pad(table, [(0, 0), (0, 40 - table.shape[1])])
        # Columns in the order of the class that most of their samples have, empty last.
        order = np.lexsort([-table.max(0), table.argmax(0), table.sum(0) == 0])
        ax.imshow(np.sqrt(table[:, order]), aspect="auto", cmap="cividis")
        number = runs["n_clusters"].iloc[0]
        title = f"{_METHODS[method][0]}, {NETWORKS[network]}, k = {number}"
        ax.set_title(title, fontsize="medium", loc="left")
        ax.set(ylabel="class", yticks=[0, 9])
        ax.spines[:].set_visible(False)
    axes[-1, 0].set_xlabel("the 40 largest clusters, by their class")
    _save(figure, "contingency")


def draw_outputs(frame):
    """Test rows in the plane, by t-SNE of the outputs of the published method."""
    frame = frame[frame["map"].notna()].drop_duplicates("n_clusters", keep="last")
    if frame.empty:
        return
    figure, axes = _make_axes(1, len(frame))
    runs = sorted(frame.to_dict("records"), key=lambda run: run["n_clusters"])
    for ax, run in zip(axes[0], runs, strict=True):
        places, classes = np.array(run["map"]), np.array(run["classes"])
        for c in range(10):
            x, y = places[classes == c].T
            ax.plot(x, y, ".", ms=3, color=COLORS[c % len(COLORS)], label=str(c))
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"k = {run['n_clusters']}", fontsize="medium")
    _finish(figure, axes, "outputs")


def draw_failures(frame):
    """Images that are found among others of other classes."""
    frame = frame.reindex(columns=[*dict.fromkeys([*frame, "failures"])])
    found = frame["failures"].dropna()
    if found.empty or not found.iloc[-1]:
        return
    rows = [[_unpack_image(text) for text in line] for line in found.iloc[-1]]
    figure, axes = plt.subplots(
        len(rows),
        len(rows[0]),
        figsize=(len(rows[0]), len(rows)),
        layout="constrained",
        squeeze=False,
    )
    for line, of_line in zip(rows, axes, strict=True):
        for image, ax in zip(line, of_line, strict=True):
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        of_line[0].spines[:].set(visible=True, color=COLORS[0], linewidth=2)
    axes[0, 0].set_title("query", fontsize="medium")
    axes[0, 1].set_title("nearest", fontsize="medium")
    _save(figure, "failures")


def _unpack_image(text):
    """Return the square image that the benchmark wrote as bits."""
    bits = np.unpackbits(np.frombuffer(base64.b64decode(text), dtype=np.uint8))
    side = math.isqrt(len(bits))
    return bits[: side**2].reshape(side, side)


def draw_margin(frame):
    """Purity of test rows by margin, a line for each draw of pairs."""
    figure, axes = _make_axes(1, 1)
    ax = axes[0, 0]
    for place, (pairs, of_pairs) in enumerate(frame.groupby("pairs")):
        for number, (_, of_draw) in enumerate(of_pairs.groupby("seed")):
            label = f"{pairs:,} pairs" if not number else None
            ax.plot(
                of_draw["margin"],
                of_draw["purity"],
                marker=MARKERS[place],
                color=COLORS[place],
                label=label,
            )
    ax.set(xlabel="margin", ylabel="purity, test rows", xticks=[1, 2])
    _finish(figure, axes, "margin")


def draw_full_supervision(frame):
    """Accuracy by labeled images per class beside the paper's, a plot per data set."""
    parts = by_dataset(frame)
    figure, axes = _make_axes(1, len(parts))
    for ax, (dataset, of_data) in zip(axes[0], parts, strict=True):
        numbers = list(FULL_SUPERVISION[dataset])
        place = of_data["per_class"].map(numbers.index)
        _draw_lines(ax, of_data.assign(place=place), "place", "accuracy")
        published = zip(*FULL_SUPERVISION[dataset].values(), strict=True)
        kinds = (("x", "cross-entropy"), ("*", "KCL"))
        for (marker, label), scores in zip(kinds, published, strict=True):
            ax.plot(scores, marker, ms=9, label=f"published, {label}", **_PUBLISHED)
        ax.set_xticks(range(len(numbers)), numbers)
        ax.set(xlabel="labeled images per class", ylabel="accuracy, test rows")
        ax.set_title(DATASETS[dataset], fontsize="medium")
    _finish(figure, axes, "full_supervision")


def draw_embedding(frame):
    """Recall@1 and NMI of the methods, and the former by the size of a batch."""
    frame = frame[frame["dataset"] == "omniglot"]
    frame = frame[frame["part"] != "embedding size"]
    is_size = frame["part"] == "batch size"
    figure, axes = plt.subplots(
        1, 2, figsize=(9, 4), layout="constrained", width_ratios=(1.3, 1)
    )
    left, right = axes
    methods = average(frame[~is_size], "method").sort_values("recall_1", kind="stable")
    sizes = average(frame[is_size], "batch_size").sort_values("batch_size")
    places, batch_sizes = np.arange(len(methods)), sizes["batch_size"]
    for metric, marker, color in (("recall_1", "o", 0), ("nmi", "s", 2)):
        line = {"marker": marker, "color": COLORS[color]}
        style = {"ls": "none", "label": _NAMES[metric]}
        _draw_line(left, methods[metric], places, methods["planned"], **line, **style)
        _draw_line(right, batch_sizes, sizes[metric], sizes["planned"], **line)
    left.set_yticks(places, methods["method"])
    left.grid(axis="y", color=NEUTRAL, alpha=0.2)
    left.set(xlabel="score of unseen characters")
    right.set_xticks(batch_sizes)
    right.set(xlabel="images m in a batch, lifted", ylabel="score")
    _finish(figure, axes[None], "embedding")


def draw_siamese_cost(frame):
    """Milliseconds of a step by the number of pairs that an image is in."""
    networks = frame.groupby("network", sort=False)
    figure, axes = _make_axes(1, len(networks))
    for ax, (network, runs) in zip(axes[0], networks, strict=True):
        for key, label, color, marker in (
            ("siamese_ms", "Siamese network", 2, "s"),
            ("enumerated_ms", "pairs enumerated in the loss", 0, "o"),
        ):
            style = {"marker": marker, "color": COLORS[color], "label": label}
            _draw_line(ax, runs["partners"], runs[key], runs["planned"], **style)
        ax.set(xscale="log", yscale="log", xlabel="pairs per image")
        ax.set_ylabel("ms per step")
        ax.set_title(NETWORKS[network], fontsize="medium")
        _label_ticks(ax, runs["partners"])
    _finish(figure, axes, "siamese_cost")


def draw_comparison(frame):
    """Accuracy of test rows by number of pairs, with the published as gray lines."""
    figure, axes = _make_axes(1, len(COMPARISON))
    for ax, (dataset, published) in zip(axes[0], COMPARISON.items(), strict=True):
        of_data = frame[frame["dataset"] == dataset].assign(network="mlp")
        _draw_lines(ax, of_data, "pairs", "accuracy")
        lines = zip(published.items(), _PUBLISHED_LINES, strict=True)
        for (method, scores), style in lines:
            label = f"{method}, published"
            ax.plot(COMPARISON_PAIRS, scores, ls=style, color=NEUTRAL, label=label)
        ax.set(xscale="log", xlabel="pairs", ylabel="accuracy, test rows")
        ax.set_title(DATASETS[dataset], fontsize="medium")
        _label_ticks(ax, COMPARISON_PAIRS)
    _finish(figure, axes, "comparison")


def _draw_lines(ax, frame, key, metric):
    """Draw a line per method and network through the means over seeds."""
    has_several = ~frame["method"].str.startswith("default")
    is_several = frame.loc[has_several, "network"].nunique() > 1
    for (method, network), of_line in frame.groupby(["method", "network"], sort=False):
        is_told = is_several and not method.startswith("default")
        means = average(of_line, key).sort_values(key)
        label, color = _METHODS[method]
        _draw_line(
            ax,
            means[key],
            means[metric],
            means["planned"],
            ls=_NETWORK_LINES[network],
            marker=MARKERS[color % len(MARKERS)],
            ms=5,
            color=COLORS[color],
            alpha=_FAINT if is_told and network != _OF_THE_PAPER else 1,
            label=f"{label}, {NETWORKS[network]}" if is_told else label,
        )


def _draw_line(ax, x, y, planned, *, marker, color, **style):
    """Draw a line; the points of cells that were cut short are hollow."""
    ax.plot(x, y, marker=marker, color=color, **style)
    cut = ~planned.to_numpy()
    hollow = {"ms": 5, "color": color, "markerfacecolor": "white", "zorder": 3}
    ax.plot(x[cut], y[cut], marker, **hollow)


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
        ncols=2 if max(map(len, handles)) > _LONG else min(3, 1 + axes.shape[1]),
        fontsize="small",
        frameon=False,
    )
    _save(figure, name)


def _save(figure, name):
    figure.savefig(GENERATED / f"experiment_{name}.png", dpi=120)
    plt.close(figure)
