"""scikit-learn's estimator checks on every public estimator; none may fail."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

import pytest
from sklearn.base import BaseEstimator, clone, is_clusterer
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import skpairclust
from skpairclust.baselines import PCKMeans

# Their samples are not rows of X but pairs, images or files, or they have no fit.
STRATEGIES = {"CoverQuery", "ExploreConsolidate", "RandomQuery", "UncertaintyQuery"}
EXEMPT = {"PairClassifier", "CenterImages", "ImageFeatures", *STRATEGIES}

# A learner asks for the sake of a clusterer. Of that in the package,
# scikit-learn's checks of sparse X fit on four classes, and expect as many columns of
# whatever has predict_proba.
NEEDED = {
    "ActivePairLearner": {"estimator": PCKMeans(3, random_state=0)},
    "ConstrainedNeuralClusterer": {"n_clusters": 4},
}

# Settings with which the checks take seconds. Defaults pass as well: some checks are
# made with them here, all of them by `make test-slow`.
FAST = {
    "ConstrainedNeuralClusterer": {"max_iter": 2, "hidden_layer_sizes": (16,)},
    "MetricEmbedder": {"max_iter": 2, "hidden_layer_sizes": (16,)},
}

# What scikit-learn runs on its own estimators only.
UNYIELDED = [
    "check_dataframe_column_names_consistency",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]
OF_TRANSFORMERS = [name for name in UNYIELDED if "output" in name or "_out" in name]

# What long training and wide layers might change.
WITH_DEFAULTS = {
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
    "check_clustering",
    "check_estimators_pickle",
    "check_fit2d_1sample",
    "check_fit_idempotent",
    "check_methods_subset_invariance",
}


def public_estimators():
    """Return the classes of all public estimators, by name."""
    modules = [skpairclust]
    for module in pkgutil.iter_modules(skpairclust.__path__):
        if not module.name.startswith("_"):
            modules.append(importlib.import_module(f"skpairclust.{module.name}"))
    found = {
        name: getattr(module, name)
        for module in modules
        for name in getattr(module, "__all__", ())
    }
    return {
        name: public
        for name, public in sorted(found.items())
        if inspect.isclass(public) and issubclass(public, BaseEstimator)
        if name not in EXEMPT
    }


DEFAULTS = [
    estimator(**NEEDED.get(name, {})) for name, estimator in public_estimators().items()
]
ESTIMATORS = [
    e.set_params(**FAST.get(type(e).__name__, {})) for e in map(clone, DEFAULTS)
]
SLOW_WITH_DEFAULTS = [e for e in DEFAULTS if type(e).__name__ in FAST]

pytestmark = [
    # the checks of data frames mix named and nameless columns on purpose
    pytest.mark.filterwarnings("ignore:X (has|does not have).*feature names"),
    # and others have fewer different samples than clusters
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


def name_of(value):
    return value if isinstance(value, str) else type(value).__name__


def run_unyielded(check, estimator):
    """Run a check if it is meant for such an estimator."""
    if check in OF_TRANSFORMERS and not hasattr(estimator, "transform"):
        return
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


def test_every_public_estimator_is_checked():
    assert {*FAST} <= {*map(name_of, ESTIMATORS)}
    assert not EXEMPT & set(map(name_of, ESTIMATORS))


@parametrize_with_checks(ESTIMATORS)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", UNYIELDED)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_checks_that_scikit_learn_keeps_to_itself(estimator, check):
    run_unyielded(check, estimator)


@pytest.mark.parametrize("check", sorted(WITH_DEFAULTS))
@pytest.mark.parametrize("estimator", SLOW_WITH_DEFAULTS, ids=name_of)
def test_some_checks_with_default_settings(estimator, check):
    if check == "check_clustering" and not is_clusterer(estimator):
        return
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


@pytest.mark.slow
@parametrize_with_checks(SLOW_WITH_DEFAULTS)
def test_all_checks_with_default_settings(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("check", UNYIELDED)
@pytest.mark.parametrize("estimator", SLOW_WITH_DEFAULTS, ids=name_of)
def test_other_checks_with_default_settings(estimator, check):
    run_unyielded(check, estimator)


# Without data frames


# As if libraries were not installed. None in sys.modules would make imports fail too,
# but scikit-learn then takes the None for the library.
HIDING = """
import json, sys, warnings
from importlib.machinery import PathFinder
class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] not in {hidden}:
            return super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
warnings.simplefilter("ignore")
import test_common, torch
torch.set_num_threads(1)
print(json.dumps(test_common.skipped_checks()))
"""


def skipped_checks():
    """Run all checks that can be run, return the reasons for which others cannot."""
    skipped = {}
    for estimator in ESTIMATORS:
        for result in check_estimator(estimator, on_skip=None):
            assert result["status"] in ("passed", "skipped"), result
            if result["status"] == "skipped":
                skipped[result["check_name"]] = str(result["exception"])
        for check in UNYIELDED:
            try:
                run_unyielded(check, estimator)
            except SkipTest as reason:
                skipped[check] = str(reason)
    return skipped


@pytest.mark.parametrize("hidden", [["pandas"], ["polars"], ["pandas", "polars"]])
def test_checks_without_data_frames(hidden):
    result = subprocess.run(
        [sys.executable, "-c", HIDING.format(hidden=hidden)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    assert result.returncode == 0, result.stderr
    skipped = json.loads(result.stdout)
    for library in ("pandas", "polars"):
        is_skipped = any(f"{library} is not installed" in r for r in skipped.values())
        assert is_skipped == (library in hidden)
    other = [r for r in skipped.values() if "not installed" not in r]
    assert all("SCIPY_ARRAY_API" in reason for reason in other), other
