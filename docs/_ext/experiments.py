"""Tables of the page on experiments, from the result files of the benchmarks.

Each maker takes the rows of one file, ``benchmarks/results/<name>.jsonl``, and returns
Markdown. Rows that have another form than a maker expects are left out, not guessed.
Pages include ``generated/results_<name>.md``; those of published experiments are
``generated/published_<name>.md``.
"""

import statistics
from collections import defaultdict
from pathlib import Path

import published_experiments
from markdown_tables import describe_machines, read_rows, table

GENERATED = Path(__file__).parents[1] / "generated"
_IMAGES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
# Measured at numbers of pairs of their own.
_SINGLE = ("moons", "circles", "vowel")
_NETWORKS = {"mlp": "", "lenet": ", LeNet"}


def mean_and_error(values, digits=3):
    """Return the mean and its standard error as text."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:.{digits}f}"
    error = statistics.stdev(values) / len(values) ** 0.5
    # Spaces that do not break.
    return f"{mean:.{digits}f}\u00a0±\u00a0{error:.{digits}f}"


def group(rows, *keys):
    """Return rows by the values of some keys, in order of first appearance."""
    groups = defaultdict(list)
    for row in rows:
        if all(key in row for key in keys):
            groups[tuple(row[key] for key in keys)].append(row)
    return groups


def latest(rows, *keys):
    """Keep the last of the rows that agree in some keys."""
    return list({tuple(row.get(key) for key in keys): row for row in rows}.values())


def make_baselines(rows):
    """Tables of constrained k-means: one a data set, means over seeds."""
    rows = latest(
        [r for r in rows if {"data", "method", "seed", "ari"} <= set(r)],
        "data",
        "method",
        "seed",
    )
    text = ""
    for (data,), of_data in group(rows, "data").items():
        body = [
            [
                method,
                len(runs),
                mean_and_error([r["seconds"] for r in runs]),
                mean_and_error([r["ari"] for r in runs]),
                mean_and_error([r["must_violated"] for r in runs], 1),
                mean_and_error([r["cannot_violated"] for r in runs], 1),
            ]
            for (method,), runs in group(of_data, "method").items()
        ]
        header = ["method", "seeds", "seconds", "ARI", "must-links violated"]
        text += f"\n**{data}**\n\n" + table([*header, "cannot-links violated"], body)
    return text


def make_retrieval(rows):
    """Table of `recall_at_k` beside scikit-learn's search."""
    rows = latest([r for r in rows if "times_as_fast" in r], "data")
    return table(
        ["data", "Recall@1", "seconds", "scikit-learn", "times as fast", "peak MiB"],
        [
            [
                row["data"],
                f"{row['recall'][0]:.3f}",
                f"{row['seconds']:.1f}",
                f"{row['sklearn_seconds']:.1f}",
                f"{row['times_as_fast']:.2f}",
                f"{row['recall_at_k_mib'][1]:.0f}",
            ]
            for row in rows
        ],
    )


def make_quality(rows):
    """Tables of the clusters' quality: images by setting, small tables by pairs."""
    noise = ("noise", "noise_rate_given")
    keys = ("dataset", "network", "unequal", *noise, "n_clusters", "pairs")
    rows = latest(rows, *keys, "balanced", "method", "n_init", "seed")
    of_images = [r for r in rows if r["dataset"] in _IMAGES]
    of_tables = [r for r in rows if r["dataset"] not in _IMAGES]
    in_columns = [r for r in of_tables if r["pairs"] and r["dataset"] not in _SINGLE]
    others = [r for r in of_tables if r not in in_columns]
    parts = (_list_settings(of_images, keys), _by_pairs(in_columns), _list_runs(others))
    return "\n\n".join(parts)


def _list_settings(rows, keys):
    """Return a table with a line for each setting of images."""
    groups = group(sorted(rows, key=_setting), *keys, "method")
    body = [
        [
            _IMAGES[dataset]
            + ", thinned (balanced accuracy)" * unequal
            + _NETWORKS[network],
            pairs,
            describe_noise(noise, told),
            k,
            len(runs),
            mean_and_error([r["balanced_" * unequal + "accuracy"] for r in runs], 4),
            mean_and_error([r["nmi"] for r in runs]),
            f"{statistics.mean(r['clusters_in_use'] for r in runs):.0f}",
            f"{statistics.median(r['seconds'] for r in runs):.0f}",
        ]
        for (dataset, network, unequal, noise, told, k, pairs, _), runs in (
            groups.items()
        )
    ]
    header = ["data", "pairs", "flipped", "k", "seeds", "accuracy", "NMI"]
    return table([*header, "clusters in use", "seconds"], body)


def _setting(row):
    """Return what rows are sorted by; what a fit was told may be no number."""
    noise = ("noise", "n_clusters", "noise_rate_given")
    order = ("network", "unequal", *noise, "pairs")
    parts = [f"{row[key]!s:>9}" for key in order]
    return list(_IMAGES).index(row["dataset"]), *parts


def _by_pairs(rows):
    """Return a table of adjusted Rand indices with one column per number of pairs."""
    numbers = sorted({r["pairs"] for r in rows})
    names = list(dict.fromkeys(row["dataset"] for row in rows))
    rows = sorted(
        rows,
        key=lambda row: (
            row["balanced"],
            names.index(row["dataset"]),
            row["method"] != "default",
        ),
    )
    body = [
        [
            data.replace("_", " ") + ", half must-links" * balanced,
            method,
            *(
                mean_and_error(scores) if scores else "-"
                for scores in (
                    [r["ari"] for r in runs if r["pairs"] == n] for n in numbers
                )
            ),
        ]
        for (data, balanced, method), runs in group(
            rows, "dataset", "balanced", "method"
        ).items()
    ]
    header = ["data", "method"]
    return table([*header, *(f"ARI, {n} pairs" for n in numbers)], body)


def _list_runs(rows):
    """Return a table of adjusted Rand indices with a line for each number of pairs."""
    rows = [r for r in rows if not (r["noise"] or r["balanced"])]
    groups = group(rows, "dataset", "pairs", "method")
    body = []
    for (data, pairs, method), runs in groups.items():
        scores = [r["ari"] for r in runs]
        middle = f"{statistics.median(scores):.3f}"
        body.append([data, pairs, method, len(runs), mean_and_error(scores), middle])
    return table(["data", "pairs", "method", "seeds", "ARI", "median"], body)


def describe_noise(share, told):
    """Say which share of pairs was flipped, and what the fit was told of it."""
    if not share:
        return ""
    known = "estimated" if told == "estimate" else "told" if told else "not told"
    return f"{share:.0%}, {known}"


def make_embedding(rows):
    """Table of embeddings of unseen classes: a line a method and kind of knowledge."""
    rows = latest(
        [r for r in rows if r.get("part") == "test"], "known", "method", "seed"
    )
    scores = ["nmi", "f1", *(f"recall_{k}" for k in (1, 2, 4, 8))]
    body = [
        [
            method,
            known,
            len(runs),
            *(mean_and_error([r[score] for r in runs]) for score in scores),
            f"{statistics.median(r['fit_seconds'] for r in runs):.0f}",
        ]
        for (method, known), runs in group(rows, "method", "known").items()
    ]
    recalls = [f"Recall@{k}" for k in (1, 2, 4, 8)]
    header = ["method", "from", "seeds", "NMI", "F1 of pairs", *recalls]
    return table([*header, "CPU seconds"], body)


def make_embedding_losses(rows):
    """Table of what losses cost, beside pytorch-metric-learning."""
    rows = latest(rows, "loss", "batch", "per_class")
    header = ["loss", "batch", "a class", "ms", "distance matrices", "MiB"]
    return table(
        [*header, "times as fast", "its ms", "its MiB"],
        [
            [
                row["loss"],
                row["batch"],
                row["per_class"],
                f"{row['milliseconds']:.1f}",
                f"{row['distance_matrices']:.1f}",
                f"{row['mib']:.0f}",
                *(
                    f"{row[name]:{form}}" if name in row else "-"
                    for name, form in (
                        ("times_as_fast", ".1f"),
                        ("peer_milliseconds", ".0f"),
                        ("peer_mib", ".0f"),
                    )
                ),
            ]
            for row in rows
        ],
    )


def make_embedding_peer(rows):
    """Table of embeddings trained with either package's loss."""
    rows = latest(rows, "loss", "package", "seed")
    return table(
        ["loss", "package", "seeds", "Recall@1", "NMI", "CPU seconds"],
        [
            [
                loss,
                package if package == "skpairclust" else "pytorch-metric-learning",
                len(runs),
                mean_and_error([r["recall_1"] for r in runs]),
                mean_and_error([r["nmi"] for r in runs]),
                f"{statistics.median(r['cpu_seconds'] for r in runs):.0f}",
            ]
            for (loss, package), runs in group(rows, "loss", "package").items()
        ],
    )


def make_embedding_unlabeled(rows):
    """Table of embeddings with and without samples that have no label."""
    rows = latest(rows, "unlabeled", "seed")
    return table(
        ["unlabeled, as classes of their own", "seeds", "Recall@1", "NMI"],
        [
            [
                "none" if name == "labeled only" else name,
                len(runs),
                mean_and_error([r["recall_1"] for r in runs]),
                mean_and_error([r["nmi"] for r in runs]),
            ]
            for (name,), runs in group(rows, "unlabeled").items()
        ],
    )


def make_exemplars(rows):
    """Table of affinity propagation that is told the number of clusters."""
    rows = latest(rows, "method", "seed")
    return table(
        ["method", "seed", "clusters asked", "found", "NMI", "F1 of pairs", "runs"],
        [
            [
                *(row[name] for name in ("method", "seed", "asked", "found")),
                f"{row['nmi']:.3f}",
                f"{row['f1']:.3f}",
                row["n_runs"],
            ]
            for row in rows
        ],
    )


def make_pairs(rows):
    """Table of scores by number of pairs, with a picture of the same numbers."""
    rows = latest(
        [r for r in rows if {"method", "pairs", "seed", "ari"} <= set(r)],
        "method",
        "pairs",
        "seed",
    )
    numbers = sorted({row["pairs"] for row in rows})
    methods = group(rows, "method")
    scores = {
        method: [[r["ari"] for r in runs if r["pairs"] == n] for n in numbers]
        for (method,), runs in methods.items()
    }
    draw_curves(numbers, scores)
    header = ["adjusted Rand index", *(f"{n} pairs" for n in numbers)]
    return table(
        header, [[name, *map(mean_and_error, lines)] for name, lines in scores.items()]
    )


def draw_curves(numbers, scores):
    """Draw one curve a method; seeds that are missing somewhere are left out."""
    import matplotlib.pyplot as plt

    from skpairclust.inspection import ConstraintCurveDisplay

    figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for name, lines in scores.items():
        n_seeds = min(map(len, lines))
        ConstraintCurveDisplay.from_predictions(
            numbers,
            [line[:n_seeds] for line in lines],
            score_name="adjusted Rand index",
            name=name,
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


def make_page(name):
    """Return the Markdown of one result file."""
    rows = read_rows(name)
    if not rows:
        return "*There are no results yet.*\n"
    return f"{MAKERS[name](rows)}\n{describe_machines(rows)}"


def write_tables(app):
    """Write a file for each maker."""
    GENERATED.mkdir(exist_ok=True)
    texts = {f"results_{name}": make_page(name) for name in MAKERS} | {
        # A benchmark and a published experiment share a name, "embedding".
        f"published_{name}": published_experiments.make_page(name)
        for name in published_experiments.MAKERS
    }
    for name, text in texts.items():
        path = GENERATED / f"{name}.md"
        # an unchanged file keeps its date, so that pages are not built again
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app):
    """Write the tables before pages are read."""
    app.connect("builder-inited", write_tables)
    return {"parallel_read_safe": True}
