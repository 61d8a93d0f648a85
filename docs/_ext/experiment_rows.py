"""Rows of the published experiments, made ready for tables and plots."""

import statistics
from collections import defaultdict

# What marks a mean over cells that were cut short.
CUT = "†"

DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10 (JPEG)",
}
# Tables and legends have methods and networks in this order.
LABELS = {
    "default": "default",
    "default, vat": 'default, `unlabeled="vat"`',
    "default, rate estimated": 'default, `noise_rate="estimate"`',
    "cross-entropy": "cross-entropy",
    "published": "published (KCL)",
    "published, original optimizer": "published (KCL), original optimizer",
    "published, lower rate": "published (KCL), optimizer's rate a hundredth",
    "features": "features of published (KCL) + k-means",
    "siamese": "Siamese embedding + k-means",
    "mcl": "MCL, pairs only",
}
NETWORKS = {"lenet": "LeNet", "mlp": "MLP", "color": "6 convolutions"}


def flatten(rows):
    """Return a record for each row and part of the data, and for k-means on features.

    A record has the row's settings, "part", the scores, and "planned".
    """
    records = []
    for row in rows:
        scores, settings = row["scores"], row["settings"]
        found = [(settings.get("method"), scores)]
        if "features" in scores:
            found.append(("features", scores["features"]))
        for method, of_method in found:
            for part in ("train", "test"):
                if part not in of_method:
                    continue
                records.append(
                    settings
                    | of_method[part]
                    | {
                        "method": method,
                        "part": part,
                        "planned": row["planned"],
                        "seconds": row["seconds"],
                        "scores": scores,
                    }
                )
    return records


def select(records, *keys):
    """Group records by settings; as planned where there are such, else the latest.

    Returns a dict from the values of `keys` to lists of records, one a seed.
    """
    groups = defaultdict(list)
    for record in records:
        groups[tuple(record.get(key) for key in keys)].append(record)
    return {key: _prefer(group) for key, group in groups.items()}


def _prefer(group):
    """Return the planned records, or those cut short as the last one was."""
    planned = [record for record in group if record["planned"]]
    if not planned:
        last = _effort(group[-1])
        planned = [record for record in group if _effort(record) == last]
    return list({record["seed"]: record for record in planned}.values())


# What a cell that was cut short has less of, in words.
_EFFORTS = {
    "n_init": "restart",
    "max_iter": "epoch",
    "pretrain_epochs": "epoch before",
    "turns": "turn of an image",
    "rounds": "round",
    "n_train": "image",
}


def _effort(record):
    """Return how much was put into a cell."""
    return tuple((name, record[name]) for name in _EFFORTS if name in record)


def _aim(row):
    """Return the settings of a row without how much was put into it, in one order."""
    return tuple(sorted(p for p in row["settings"].items() if p[0] not in _EFFORTS))


def list_lines(records):
    """Return the methods and networks that occur, in the order of `LABELS`."""
    found = dict.fromkeys(
        (record["method"], record.get("network")) for record in records
    )
    methods, networks = list(LABELS), list(NETWORKS)

    def place(line):
        method, network = line
        known = methods.index(method) if method in LABELS else len(methods)
        return known, networks.index(network) if network in NETWORKS else -1

    # Sorting is stable: other methods stay in the order of their first appearance.
    return sorted(found, key=place)


def mean(records, metric):
    """Return the mean over seeds, None without any."""
    values = [record[metric] for record in records or [] if metric in record]
    return statistics.mean(values) if values else None


def show(records, metric, digits=3):
    """Return mean, standard error and a mark where cells were cut short, as text."""
    values = [record[metric] for record in records or [] if metric in record]
    if not values:
        return "–"
    text = f"{statistics.mean(values):.{digits}f}"
    if len(values) > 1:
        error = statistics.stdev(values) / len(values) ** 0.5
        text += f" ± {error:.{digits}f}"
    return text + ("" if records[0]["planned"] else f"\u00a0{CUT}")


def name(method, network=None):
    """Return what a table calls a method."""
    label = LABELS.get(method, method)
    # Only methods that come with several networks are told apart by it.
    if network is None or method.startswith("default"):
        return label
    return f"{label}, {NETWORKS[network]}"


def describe_progress(experiment, rows):
    """Return how much of the plan is measured, and how the rest was cut short."""
    n_planned = len({str(r["settings"]) for r in rows if r["planned"]})
    n_cells = rows[-1]["n_cells"] if rows else 0
    if n_planned >= n_cells > 0:
        return f"*Complete: all {n_cells} planned cells are measured.*\n"
    text = f"**Partial:** {n_planned} of {n_cells} planned cells are measured"
    whole = {_aim(row) for row in rows if row["planned"]}
    cut = [row for row in rows if not row["planned"] and _aim(row) not in whole]
    if cut:
        efforts = defaultdict(dict)
        for row in cut:
            settings = row["settings"]
            method = LABELS.get(settings.get("method"), settings.get("method"))
            efforts[_say(settings)][method or "all"] = True
        told = [f"{' / '.join(names)}: {effort}" for effort, names in efforts.items()]
        text += f", and {len(cut)} cut short, marked {CUT} in the table and "
        text += f"hollow in the plot ({'; '.join(told)})"
    return (
        f"{text}. `python -m benchmarks.experiments {experiment}` measures the rest, "
        "faster with a GPU.\n"
    )


def _plural(word):
    """Return a noun in the plural, with what follows it."""
    noun, *rest = word.split(" ", 1)
    return " ".join([f"{noun}s", *rest])


def _say(settings):
    """Return in words what a cell that was cut short had."""
    return ", ".join(
        f"{settings[key]} {word if settings[key] == 1 else _plural(word)}"
        for key, word in _EFFORTS.items()
        if settings.get(key)
    )
