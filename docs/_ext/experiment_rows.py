"""Rows of the published experiments, made ready for tables and plots."""

from collections import defaultdict

import pandas as pd
from markdown_tables import mean_and_error

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
    "published, torch7": "published (KCL), authors' optimizer and weights",
    "published, original optimizer": "published (KCL), authors' optimizer",
    "features, Euclidean": "features of these + k-means, Euclidean",
    "features, cosine": "features of these + k-means, cosine",
    "features": "features of published (KCL) + k-means",
    "siamese": "Siamese embedding + k-means",
    "siamese, torch7": "Siamese as published + k-means, Euclidean",
    "siamese, cosine": "Siamese as published + k-means, cosine",
    "mcl": "MCL, pairs only",
}
NETWORKS = {"lenet": "LeNet", "mlp": "MLP", "color": "6 convolutions"}
_PLACES = {name: place for place, name in enumerate([*LABELS, *NETWORKS])}
# What a cell that was cut short has less of, in words.
_EFFORTS = {
    "n_init": "restart",
    "max_iter": "epoch",
    "pretrain_epochs": "epoch before",
    "turns": "turn of an image",
    "rounds": "round",
    "n_train": "image",
}


def flatten(rows):
    """Return a frame with a line for each row and part of the data.

    A line has the row's settings, "part", its scores and, as `line`, what tables call
    its method. k-means on features has lines of its own.
    """
    lines = []
    for row in rows:
        settings, scores = row["settings"], row["scores"]
        network = settings.get("network", "")
        others = {
            k: v for k, v in scores.items() if k.startswith(("features", "siamese"))
        }
        for method, found in [(settings["method"], scores), *others.items()]:
            names = {
                "method": method,
                "network": network,
                "line": name(method, network),
            }
            names |= {key: found.get(key) for key in ("contingency", "map", "classes")}
            lines += [
                _join(row, found[part]) | names | {"part": part}
                for part in ("train", "test")
                if part in found
            ]
    # Sorting is stable: other methods stay in the order of their first appearance.
    return pd.DataFrame(sorted(lines, key=_place))


def frame_scores(rows):
    """Return a frame with a line for each row: its settings and its scores."""
    return pd.DataFrame([_join(row, row["scores"]) for row in rows])


def _join(row, scores):
    """Return the settings of a row with scores and with how it was measured."""
    effort = str([row["settings"].get(key) for key in _EFFORTS])
    return row["settings"] | scores | {"planned": row["planned"], "effort": effort}


def _place(line):
    """Return where tables have a line's method and network."""
    last = len(_PLACES)
    return _PLACES.get(line["method"], last), _PLACES.get(line["network"], -1)


def select(frame, *keys):
    """Group lines by settings; as planned where there are such, else the latest.

    Returns a dict from the values of `keys` to frames with a line per seed.
    """
    groups = frame.groupby(list(keys), sort=False)
    return {values: _prefer(group) for values, group in groups}


def _prefer(group):
    """Return the planned lines, or those cut short as the last one was."""
    shown = group[group["planned"]]
    if shown.empty:
        shown = group[group["effort"] == group["effort"].iloc[-1]]
    return shown.drop_duplicates("seed", keep="last")


def average(frame, *keys):
    """Return the means over seeds of what `select` shows; "planned" says whether it is.

    Lines are in the order of `keys`, or as they are without any.
    """
    shown = pd.concat(select(frame, *keys).values())
    means = shown.groupby(list(keys), sort=False).mean(numeric_only=True).reset_index()
    return means.assign(planned=means["planned"] > 0)


def cross(frame, column, values, show_group):
    """Return a line for each of the frame's lines, with a cell for each column's value.

    `show_group` takes a frame of seeds, or None where there is none.
    """
    groups = select(frame, "line", column)
    return [
        [line, *(show_group(groups.get((line, value))) for value in values)]
        for line in frame["line"].unique()
    ]


def by_dataset(frame):
    """Return pairs of a data set and its lines."""
    groups = dict(list(frame.groupby("dataset")))
    return [(dataset, groups[dataset]) for dataset in DATASETS if dataset in groups]


def show(group, metric, digits=3):
    """Return mean, standard error and a mark where cells were cut short, as text."""
    if group is None or group[metric].isna().all():
        return "–"
    text = mean_and_error(group[metric].dropna(), digits)
    return text + mark(group["planned"].all())


def mark(planned):
    """Return the mark of what was cut short, nothing for what was not."""
    return "" if planned else f"\u00a0{CUT}"


def name(method, network=None):
    """Return what a table calls a method."""
    label = LABELS.get(method, method)
    # Only methods that come with several networks are told apart by it.
    if not network or method.startswith("default"):
        return label
    return f"{label}, {NETWORKS[network]}"


def describe_effort(rows):
    """Return how long the shown rows took, and what cells that were cut short had."""
    latest = {str(sorted(row["settings"].items(), key=str)): row for row in rows}
    seconds = sum(row["seconds"] for row in latest.values())
    text = (
        f"All rows together took {_say_duration(seconds)} on a machine that was busy."
    )
    whole = {_aim(row["settings"]) for row in rows if row["planned"]}
    cut = [row["settings"] for row in rows if not row["planned"]]
    cut = [settings for settings in cut if _aim(settings) not in whole]
    if cut:
        efforts = defaultdict(dict)
        for settings in cut:
            method = settings.get("method", "all")
            efforts[_say(settings)][name(method)] = True
        told = [f"{' / '.join(names)}: {effort}" for effort, names in efforts.items()]
        text += f" {CUT} marks what was cut short ({'; '.join(told)})."
    return f"{text}\n"


def _say_duration(seconds):
    """Return a duration in words."""
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} minutes"
    return f"{seconds / 3600:.1f} hours"


def _aim(settings):
    """Return settings without how much was put into the cell, in one order."""
    return tuple(sorted(p for p in settings.items() if p[0] not in _EFFORTS))


def _say(settings):
    """Return in words what a cell that was cut short had."""
    return ", ".join(
        f"{settings[key]} {word if settings[key] == 1 else _plural(word)}"
        for key, word in _EFFORTS.items()
        if settings.get(key)
    )


def _plural(word):
    """Return a noun in the plural, with what follows it."""
    noun, *rest = word.split(" ", 1)
    return " ".join([f"{noun}s", *rest])
