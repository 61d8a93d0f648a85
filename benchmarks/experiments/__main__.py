"""Command line of the experiments: ``python -m benchmarks.experiments --help``."""

import argparse
import json

from benchmarks.experiments import NAMES, load_experiment
from benchmarks.experiments._runner import (
    Selection,
    find_missing,
    results_path,
    run,
)


def parse_setting(text):
    """Return the name and the value of ``name=value``; the value is JSON or text."""
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=value")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def make_parser():
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.experiments",
        description="Run published experiments; a killed run goes on where it was.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--quick", action="store_true", help="a small version: a minute or two"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        type=parse_setting,
        metavar="SETTING=VALUE",
        help="run these cells alone; several values of one setting add up",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=parse_setting,
        metavar="SETTING=VALUE",
        help="change a setting of the plan, say max_iter=10; marked in the results",
    )
    parser.add_argument("--minutes", type=float, help="begin no cell after that time")
    parser.add_argument("--list", action="store_true", help="say what there is to do")
    return parser


def make_selection(arguments):
    """Return the `Selection` of the command line."""
    only = {}
    for name, value in arguments.only:
        only.setdefault(name, []).append(value)
    return Selection(only, dict(arguments.set))


def main(argv=None):
    """Run what the command line asks for."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(NAMES)
    if unknown or not (arguments.names or arguments.list):
        parser.error(f"name one or more of {', '.join(NAMES)}")
    scale = "quick" if arguments.quick else "full"
    selection = make_selection(arguments)
    for name in arguments.names or NAMES:
        experiment = load_experiment(name)
        path = results_path(name, scale)
        if arguments.list:
            n_missing = len(find_missing(experiment, scale, path, selection))
            n_cells = len(selection.apply(experiment.make_cells(scale)))
            print(f"{name}: {n_missing} of {n_cells} cells to do, {path}")
            continue
        run(
            experiment,
            scale=scale,
            device=arguments.device,
            selection=selection,
            minutes=arguments.minutes,
        )


if __name__ == "__main__":
    main()
