"""Tables of the published experiments, from their result files alone.

Each maker takes the rows of ``benchmarks/results/experiments/<name>.jsonl``, has its
plot drawn and returns Markdown.
"""

import experiment_plots as plots
from experiment_rows import (
    CUT,
    DATASETS,
    NETWORKS,
    describe_progress,
    flatten,
    list_lines,
    mean,
    name,
    select,
    show,
)
from markdown_tables import describe_machines, read_rows, table
from published_figures import (
    COMPARISON,
    COMPARISON_PAIRS,
    FULL_SUPERVISION,
    OF_TRAINING_ROWS,
    PARTIAL_CONSTRAINTS,
)


def make_partial_constraints(rows):
    """One table a data set: methods by number of pairs, train and test."""
    rows = [row for row in rows if not row["settings"]["balanced"]]
    records = flatten(rows)
    plots.draw_partial_constraints(records)
    return "".join(
        f"\n**{DATASETS[dataset]}**\n\n{_tabulate_pairs(dataset, records)}"
        for dataset in dict.fromkeys(record["dataset"] for record in records)
    )


def _tabulate_pairs(dataset, records):
    """Return the table of one data set."""
    records = [record for record in records if record["dataset"] == dataset]
    groups = select(records, "pairs", "method", "network", "part")
    header = ["pairs", "method", "seeds", "purity, test", "NMI, test"]
    body = []
    reported = {pairs for of, pairs in PARTIAL_CONSTRAINTS if of == dataset}
    for pairs in sorted(reported | {record["pairs"] for record in records}):
        known = PARTIAL_CONSTRAINTS.get((dataset, pairs))
        if known:
            body.append(
                [f"{pairs:,}", "*the paper reports*", "", *_quote(dataset, known)]
            )
        for method, network in list_lines(records):
            test = groups.get((pairs, method, network, "test"))
            if not test:
                continue
            train = groups[pairs, method, network, "train"]
            line = [f"{pairs:,}", name(method, network), len(test)]
            for part in (test, train):
                line += [show(part, "purity"), show(part, "nmi")]
            body.append(line)
    return table([*header, "purity, train", "NMI, train"], body)


def _quote(dataset, known):
    """Return the cells of published figures, of test and of training rows."""
    cells = [
        f"*{''.join(known[key][:1])}{known[key][1]:.1f}*" if key in known else ""
        for key in ("purity", "nmi")
    ]
    return [*(["", ""] if dataset in OF_TRAINING_ROWS else cells), *cells]


def make_noise(rows):
    """Methods by share of flipped pairs: accuracy of test rows."""
    records = [
        record
        for record in flatten(rows)
        if record["part"] == "test" and record["method"] != "features"
    ]
    plots.draw_noise(records)
    shares = sorted({record["noise"] for record in records})
    groups = select(records, "pairs", "method", "network", "noise")
    body = []
    for pairs in sorted({record["pairs"] for record in records}):
        for method, network in list_lines(records):
            cells = [groups.get((pairs, method, network, share)) for share in shares]
            if any(cells):
                scores = [show(cell, "accuracy") for cell in cells]
                body.append([f"{pairs:,}", name(method, network), *scores])
    header = ["pairs", "accuracy, test", *(f"{share:.0%} flipped" for share in shares)]
    return table(header, body)


def make_n_clusters(rows):
    """Methods by number of clusters asked for: NMI of test rows, clusters in use."""
    records = [record for record in flatten(rows) if record["part"] == "test"]
    plots.draw_n_clusters(records)
    plots.draw_contingency(records)
    numbers = sorted({record["n_clusters"] for record in records})
    groups = select(records, "method", "network", "n_clusters")
    body = []
    for method, network in list_lines(records):
        line = [name(method, network)]
        for number in numbers:
            cell = groups.get((method, network, number))
            used = mean(cell, "clusters_in_use")
            line.append(show(cell, "nmi") + (f" ({used:.0f})" if cell else ""))
        body.append(line)
    header = ["NMI, test (clusters in use)", *(f"k = {number}" for number in numbers)]
    return table(header, body)


def make_full_supervision(rows):
    """Methods by labeled images per class: accuracy of test rows."""
    records = [record for record in flatten(rows) if record["part"] == "test"]
    plots.draw_full_supervision(records)
    text = ""
    for dataset in dict.fromkeys(record["dataset"] for record in records):
        of_data = [record for record in records if record["dataset"] == dataset]
        published = FULL_SUPERVISION[dataset]
        groups = select(of_data, "method", "network", "per_class")
        body = [
            [f"*{label}: the paper reports*"]
            + [f"*{published[number][place]:.3f}*" for number in published]
            for place, label in enumerate(("cross-entropy", "KCL"))
        ]
        for method, network in list_lines(of_data):
            cells = [groups.get((method, network, number)) for number in published]
            body.append(
                [name(method, network), *(show(cell, "accuracy") for cell in cells)]
            )
        header = ["accuracy, test", *(_say_number(number) for number in published)]
        text += f"\n**{DATASETS[dataset]}**\n\n{table(header, body)}"
    return text


def _say_number(per_class):
    """Return the header of a column."""
    return "all images" if per_class is None else f"{per_class} per class"


def make_embedding(rows):
    """One table a part: scores of characters not seen in training."""
    records = [
        row["settings"]
        | row["scores"]
        | {key: row[key] for key in ("planned", "seconds")}
        for row in rows
    ]
    plots.draw_embedding(records)
    text = ""
    parts = dict.fromkeys((record["dataset"], record["part"]) for record in records)
    for dataset, part in parts:
        of_part = [
            record
            for record in records
            if (record["dataset"], record["part"]) == (dataset, part)
        ]
        groups = select(of_part, "method", "batch_size")
        metrics = ("nmi", "f1", "recall_1", "recall_2", "recall_4", "recall_8")
        body = [
            [method, batch_size, len(runs), *(show(runs, metric) for metric in metrics)]
            for (method, batch_size), runs in groups.items()
        ]
        header = ["method", "m", "seeds", "NMI", "F1", "R@1", "R@2", "R@4", "R@8"]
        title = f"{_PARTS[part]}, {dataset.replace('_', ' ').title()}"
        text += f"\n**{title}**\n\n{table(header, body)}"
    return text


_PARTS = {
    "triplets": "Triplets",
    "lifted": "Lifted structure",
    "batch size": "Size m of a batch",
}


def make_siamese_cost(rows):
    """Seconds per step by pairs per image: Siamese network against enumeration."""
    records = [
        row["settings"] | row["scores"] | {"planned": row["planned"]} for row in rows
    ]
    plots.draw_siamese_cost(records)
    groups = select(records, "network", "partners")
    body = [
        [
            NETWORKS[network],
            partners,
            f"{run['pairs']:,}",
            f"{1000 * run['siamese_seconds']:.1f}",
            f"{1000 * run['enumerated_seconds']:.1f}",
            f"{run['times']:.1f} ({run['times_low']:.1f}–{run['times_high']:.1f})"
            + ("" if run["planned"] else f" {CUT}"),
        ]
        for (network, partners), (run,) in sorted(groups.items())
    ]
    header = ["network", "pairs per image", "pairs per step", "Siamese, ms"]
    return table([*header, "enumerated, ms", "times as long"], body)


def make_comparison(rows):
    """One table a data set: accuracy of test rows by number of pairs."""
    records = [record for record in flatten(rows) if record["part"] == "test"]
    plots.draw_comparison(records)
    text = ""
    for dataset, published in COMPARISON.items():
        of_data = [record for record in records if record["dataset"] == dataset]
        groups = select(of_data, "method", "pairs")
        body = [
            [
                name(method),
                *(_show_seeds(groups.get((method, n))) for n in COMPARISON_PAIRS),
            ]
            for method in dict.fromkeys(m for m, _ in list_lines(of_data))
        ]
        body += [
            [f"*{method}, published*", *(f"*{score:.3f}*" for score in scores)]
            for method, scores in published.items()
        ]
        header = ["accuracy, test", *(f"{n:,} pairs" for n in COMPARISON_PAIRS)]
        text += f"\n**{DATASETS[dataset]}**\n\n{table(header, body)}"
    return text


def _show_seeds(records):
    """Return the mean accuracy, with the number of seeds where there are several."""
    text = show(records, "accuracy")
    return f"{text} ({len(records)} seeds)" if len(records or []) > 1 else text


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
    rows = read_rows(f"experiments/{experiment}")
    if not rows:
        return "*There are no results yet.*\n"
    text = MAKERS[experiment](rows)
    return f"{text}\n{describe_progress(experiment, rows)}\n{describe_machines(rows)}"
