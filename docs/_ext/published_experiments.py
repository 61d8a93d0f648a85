"""Tables of the published experiments, from their result files alone.

Each maker takes the rows of ``benchmarks/results/experiments/<name>.jsonl``, has its
plot drawn and returns Markdown.
"""

import experiment_plots as plots
import markdown_tables
import pandas as pd
from experiment_rows import (
    DATASETS,
    NETWORKS,
    average,
    by_dataset,
    cross,
    describe_progress,
    flatten,
    frame_scores,
    mark,
    name,
    select,
    show,
)
from markdown_tables import format_rows, table, titled
from published_figures import (
    COMPARISON,
    COMPARISON_PAIRS,
    FULL_SUPERVISION,
    OF_TRAINING_ROWS,
    PARTIAL_CONSTRAINTS,
)

_PARTS = {
    "triplets": "Triplets",
    "lifted": "Lifted structure",
    "batch size": "Size m of a batch",
}


def make_partial_constraints(rows):
    """One table per data set: methods by number of pairs, train and test."""
    frame = flatten([row for row in rows if not row["settings"]["balanced"]])
    plots.draw_partial_constraints(frame)
    return "".join(
        titled(DATASETS[dataset], _tabulate_pairs(dataset, of_data))
        for dataset, of_data in by_dataset(frame)
    )


def _tabulate_pairs(dataset, frame):
    """Return the table of one data set."""
    groups = select(frame, "pairs", "line", "part")
    reported = {pairs for of, pairs in PARTIAL_CONSTRAINTS if of == dataset}
    body = []
    for pairs in sorted(reported | set(frame["pairs"])):
        if pairs in reported:
            quoted = _quote(dataset, PARTIAL_CONSTRAINTS[dataset, pairs])
            body.append([f"{pairs:,}", "*the paper reports*", "", *quoted])
        for line in frame["line"].unique():
            if (pairs, line, "test") in groups:
                parts = [groups[pairs, line, part] for part in ("test", "train")]
                scores = [
                    show(p, metric) for p in parts for metric in ("purity", "nmi")
                ]
                body.append([f"{pairs:,}", line, len(parts[0]), *scores])
    scores = [f"{m}, {part}" for part in ("test", "train") for m in ("purity", "NMI")]
    return _tabulate(["pairs", "method", "seeds", *scores], body)


def _quote(dataset, known):
    """Return the cells of published figures, of test and of training rows."""
    cells = [
        "*{}{:.1f}*".format(*known[key]) if key in known else ""
        for key in ("purity", "nmi")
    ]
    return [*(["", ""] if dataset in OF_TRAINING_ROWS else cells), *cells]


def _tabulate(header, body):
    """Return the table of lines of cells."""
    return table(pd.DataFrame(body, columns=header))


def _show_accuracy(group):
    """Return the cell of a group of seeds."""
    return show(group, "accuracy")


def make_noise(rows):
    """Methods by share of flipped pairs: accuracy of test rows."""
    frame = flatten(rows).query("part == 'test' and method != 'features'")
    plots.draw_noise(frame)
    shares = sorted(frame["noise"].unique())
    body = [
        [f"{pairs:,}", *cells]
        for pairs, of_pairs in frame.groupby("pairs")
        for cells in cross(of_pairs, "noise", shares, _show_accuracy)
    ]
    flipped = [f"{share:.0%} flipped" for share in shares]
    return _tabulate(["pairs", "accuracy, test", *flipped], body)


def make_n_clusters(rows):
    """Methods by number of clusters asked for: NMI of test rows, clusters in use."""
    frame = flatten(rows).query("part == 'test'")
    plots.draw_n_clusters(frame)
    plots.draw_contingency(frame)
    numbers = sorted(frame["n_clusters"].unique())
    header = ["NMI, test (clusters in use)", *(f"k = {number}" for number in numbers)]
    return _tabulate(header, cross(frame, "n_clusters", numbers, _show_used))


def _show_used(group):
    """Return the cell of a group of seeds: NMI and the clusters in use."""
    used = "" if group is None else f" ({group['clusters_in_use'].mean():.0f})"
    return show(group, "nmi") + used


def make_full_supervision(rows):
    """Methods by labeled images per class: accuracy of test rows."""
    frame = flatten(rows).query("part == 'test'")
    # Where all images have labels, there is no number.
    numbers = ["all" if pd.isna(n) else int(n) for n in frame["per_class"]]
    frame = frame.assign(per_class=numbers)
    plots.draw_full_supervision(frame)
    text = ""
    for dataset, of_data in by_dataset(frame):
        published = pd.DataFrame(FULL_SUPERVISION[dataset], ["cross-entropy", "KCL"])
        body = [
            [f"*{label}: the paper reports*", *(f"*{score:.3f}*" for score in scores)]
            for label, scores in published.iterrows()
        ]
        body += cross(of_data, "per_class", published, _show_accuracy)
        header = ["accuracy, test", *map(_say_number, published)]
        text += titled(DATASETS[dataset], _tabulate(header, body))
    return text


def _say_number(per_class):
    """Return the header of a column."""
    return "all images" if per_class == "all" else f"{per_class} per class"


def make_embedding(rows):
    """One table per part: scores of characters not seen in training."""
    frame = frame_scores(rows)
    plots.draw_embedding(frame)
    metrics = ["nmi", "f1", "recall_1", "recall_2", "recall_4", "recall_8"]
    header = ["method", "m", "seeds", "NMI", "F1", "R@1", "R@2", "R@4", "R@8"]
    text = ""
    for (dataset, part), of_part in frame.groupby(["dataset", "part"], sort=False):
        body = [
            [*values, len(seeds), *(show(seeds, metric) for metric in metrics)]
            for values, seeds in select(of_part, "method", "batch_size").items()
        ]
        title = f"{_PARTS[part]}, {dataset.replace('_', ' ').title()}"
        text += titled(title, _tabulate(header, body))
    return text


def make_siamese_cost(rows):
    """Seconds per step by pairs per image: Siamese network against enumeration."""
    frame = frame_scores(rows)
    for kind in ("siamese", "enumerated"):
        frame[f"{kind}_ms"] = 1000 * frame[f"{kind}_seconds"]
    frame = average(frame, "network", "partners").sort_values(["network", "partners"])
    plots.draw_siamese_cost(frame)
    times = [
        f"{run.times:.1f} ({run.times_low:.1f}–{run.times_high:.1f}){mark(run.planned)}"
        for run in frame.itertuples()
    ]
    frame = frame.assign(network=frame["network"].map(NETWORKS), times=times)
    columns = {
        "network": ("network", ""),
        "pairs per image": ("partners", ""),
        "pairs per step": ("pairs", ",.0f"),
        "Siamese, ms": ("siamese_ms", ".1f"),
        "enumerated, ms": ("enumerated_ms", ".1f"),
        "times as long": ("times", ""),
    }
    return format_rows(frame, columns)


def make_comparison(rows):
    """One table per data set: accuracy of test rows by number of pairs."""
    frame = flatten(rows).query("part == 'test'")
    # All have the same network.
    frame = frame.assign(line=frame["method"].map(name))
    plots.draw_comparison(frame)
    text = ""
    for dataset, published in COMPARISON.items():
        of_data = frame[frame["dataset"] == dataset]
        body = cross(of_data, "pairs", COMPARISON_PAIRS, _show_seeds)
        body += [
            [f"*{method}, published*", *(f"*{score:.3f}*" for score in scores)]
            for method, scores in published.items()
        ]
        header = ["accuracy, test", *(f"{n:,} pairs" for n in COMPARISON_PAIRS)]
        text += titled(DATASETS[dataset], _tabulate(header, body))
    return text


def _show_seeds(group):
    """Return the mean accuracy, with the number of seeds where there are several."""
    n_seeds = 0 if group is None else len(group)
    return _show_accuracy(group) + (f" ({n_seeds} seeds)" if n_seeds > 1 else "")


MAKERS = {
    "partial_constraints": make_partial_constraints,
    "noise": make_noise,
    "n_clusters": make_n_clusters,
    "full_supervision": make_full_supervision,
    "embedding": make_embedding,
    "siamese_cost": make_siamese_cost,
    "comparison": make_comparison,
}


def make_page(experiment):
    """Return the Markdown of an experiment: table, progress, machine."""

    def make(rows):
        return f"{MAKERS[experiment](rows)}\n{describe_progress(experiment, rows)}"

    return markdown_tables.make_page(f"experiments/{experiment}", make)
