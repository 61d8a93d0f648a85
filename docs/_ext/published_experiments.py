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
    describe_effort,
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
    N_CLUSTERS,
    OF_TRAINING_ROWS,
    PARTIAL_CONSTRAINTS,
)

_PARTS = {
    "triplets": "Triplets",
    "lifted": "Lifted structure",
    "batch size": "Size m of a batch",
    "embedding size": "Size of the embedding",
}


# The lines to which a figure of the papers belongs.
_TO_THE_LETTER = "published, torch7"
_OF_THE_PAPER = (_TO_THE_LETTER, "published, original optimizer")


def make_partial_constraints(rows):
    """One table per data set: methods by number of pairs, train and test."""
    frame = flatten([row for row in rows if not row["settings"]["balanced"]])
    plots.draw_partial_constraints(frame)
    return "".join(
        titled(DATASETS[dataset], _tabulate_pairs(dataset, of_data))
        for dataset, of_data in by_dataset(frame)
    )


def _tabulate_pairs(dataset, frame):
    """Return the table of one data set, the figures of the paper first."""
    groups = select(frame, "pairs", "line", "part")
    reported = {pairs for of, pairs in PARTIAL_CONSTRAINTS if of == dataset}
    body = []
    for pairs in sorted(reported | set(frame["pairs"])):
        known = PARTIAL_CONSTRAINTS.get((dataset, pairs), {})
        lines = [n for n in frame["line"].unique() if (pairs, n, "test") in groups]
        is_quoted = False
        for line in lines:
            test, train = (
                groups.get((pairs, line, part)) for part in ("test", "train")
            )
            of_paper = _is_of_paper(test, "lenet")
            quoted = _quote(known) if of_paper else ["", ""]
            is_quoted = is_quoted or of_paper
            scores = [show(p, m) for p in (test, train) for m in ("purity", "nmi")]
            body.append([f"{pairs:,}", *quoted, *scores, len(test), line])
        if known and not is_quoted:
            body.append([f"{pairs:,}", *_quote(known), *["–"] * 5, "not measured"])
    rows_of = "train" if dataset in OF_TRAINING_ROWS else "test"
    published = [f"*the paper: {m}, {rows_of}*" for m in ("purity", "NMI")]
    scores = [f"{m}, {part}" for part in ("test", "train") for m in ("purity", "NMI")]
    return _tabulate(["pairs", *published, *scores, "draws", "method"], body)


def _is_of_paper(group, network):
    """Whether a group of seeds is of the paper's method and network."""
    of = group.iloc[0]
    return of["method"] in _OF_THE_PAPER and of["network"] == network


def _quote(known):
    """Return the cells of published figures."""
    return [
        "*{}{:.1f}*".format(*known[key]) if key in known else ""
        for key in ("purity", "nmi")
    ]


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
    plots.draw_outputs(frame)
    body = []
    for (number, line), group in sorted(
        select(frame, "n_clusters", "line").items(), key=lambda item: item[0][0]
    ):
        of = group.iloc[0]
        kind = "published" if of["method"] in _OF_THE_PAPER else of["method"]
        # The first method is the package's optimizer, whatever its name.
        is_same = of["network"] == "lenet" and of["method"] != "published"
        known = N_CLUSTERS.get(kind, {}) if is_same else {}
        quoted = f"*about {known[number]:.3g}*" if number in known else ""
        used = f"{group['clusters_in_use'].mean():.0f}"
        body.append([number, quoted, show(group, "nmi"), used, line])
    quoted = {row[0] for row in body if row[1]}
    for number, value in N_CLUSTERS["published"].items():
        if number not in quoted:
            body.append([number, f"*about {value:.3g}*", "–", "–", "not measured"])
    body.sort(key=lambda row: row[0])
    header = ["k", "*the paper: NMI*", "NMI, test", "clusters in use", "method"]
    return _tabulate(header, body)


def make_full_supervision(rows):
    """Methods by labeled images per class: accuracy of test rows."""
    frame = flatten(rows).query("part == 'test'")
    # Where all images have labels, there is no number.
    numbers = ["all" if pd.isna(n) else int(n) for n in frame["per_class"]]
    frame = frame.assign(per_class=numbers)
    plots.draw_full_supervision(frame)
    text = ""
    for dataset, of_data in by_dataset(frame):
        groups = select(of_data, "per_class", "line")
        body = []
        for number, published in FULL_SUPERVISION[dataset].items():
            kinds = dict(zip(("cross-entropy", "KCL"), published, strict=True))
            for line in of_data["line"].unique():
                group = groups.get((number, line))
                if group is not None:
                    quoted = _quote_accuracy(group.iloc[0], kinds)
                    body.append([number, quoted, _show_seeds(group), line])
            if not any(row[0] == number for row in body):
                quoted = ", ".join(f"{kind} {v:.3f}" for kind, v in kinds.items())
                body.append([number, f"*{quoted}*", "–", "not measured"])
        header = ["labels per class", "*the paper*", "accuracy, test", "method"]
        text += titled(DATASETS[dataset], _tabulate(header, body))
    return text


def _quote_accuracy(row, kinds):
    """Return the cell of what the paper reports for a method."""
    is_kcl = row["method"].startswith("published")
    kind = "KCL" if is_kcl else row["method"]
    of_paper = row["network"] == "lenet" and kind in kinds
    return f"*{kinds[kind]:.3f}*" if of_paper else ""


def make_margin(rows):
    """What is kept of held-out pairs, and scores of test rows, by margin."""
    body, points = [], []
    for row in rows:
        settings, scores = row["settings"], row["scores"]
        for margin in ("1.0", "2.0"):
            of = scores[margin]
            test = of["test"]
            cells = [of["held_out"], test["purity"], test["nmi"], of["loss"]]
            chosen = " (chosen)" if scores["chosen"] == float(margin) else ""
            body.append(
                [f"{settings['pairs']:,}", f"{margin[0]}{chosen}"]
                + [f"{cell:.3f}" for cell in cells]
                + [settings["seed"]]
            )
            points.append(settings | {"margin": float(margin)} | test)
    plots.draw_margin(pd.DataFrame(points))
    held_out = "pairs held out, kept"
    header = ["pairs", "margin", held_out, "purity, test", "NMI, test", "loss", "seed"]
    return _tabulate(header, body)


def make_embedding(rows):
    """One table per part: scores of characters not seen in training."""
    frame = frame_scores(rows)
    plots.draw_embedding(frame)
    plots.draw_failures(frame)
    metrics = ["nmi", "f1", "recall_1", "recall_2", "recall_4", "recall_8"]
    metrics += ["precision_8", "propagated_nmi", "propagated_f1"]
    # Rows of earlier runs lack some scores.
    frame = frame.reindex(columns=[*dict.fromkeys([*frame, *metrics, "n_components"])])
    frame = frame.assign(n_components=frame["n_components"].fillna(64).astype(int))
    header = ["method", "m", "size", "seeds", "NMI", "F1", "R@1", "R@2", "R@4", "R@8"]
    header += ["P@8", "NMI, affinity", "F1, affinity"]
    keys = ("method", "batch_size", "n_components")
    text = ""
    for (dataset, part), of_part in frame.groupby(["dataset", "part"], sort=False):
        body = [
            [*values, len(seeds), *(show(seeds, metric) for metric in metrics)]
            for values, seeds in select(of_part, *keys).items()
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
    "margin": make_margin,
    "embedding": make_embedding,
    "siamese_cost": make_siamese_cost,
    "comparison": make_comparison,
}


def make_page(experiment):
    """Return the Markdown of an experiment: table, effort, machine."""

    def make(rows):
        return f"{MAKERS[experiment](rows)}\n{describe_effort(rows)}"

    return markdown_tables.make_page(f"experiments/{experiment}", make)
