"""Base class of the estimators: tags, validation of X, the fitted network."""

import math
import warnings
from dataclasses import replace
from inspect import signature
from os import PathLike
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import check_is_fitted, validate_data

from skpairclust.constraints._typing import Samples
from skpairclust.neural._epoch_hooks import EpochCallbacks
from skpairclust.neural._heads import forward_features
from skpairclust.neural._lazy_rows import LazyRows, is_lazy
from skpairclust.neural._networks import Architecture
from skpairclust.neural._offsets import (
    check_values,
    find_offset,
    is_bounded,
    subtract_offset,
)
from skpairclust.neural._persistence import load_estimator, save_estimator
from skpairclust.neural._sparse_batch import SparseBatch
from skpairclust.neural._torch_utils import (
    default_torch_state,
    load_numpy_state,
    resolve_device,
    to_array,
)
from skpairclust.utils._compat import CallbackSupportMixin
from skpairclust.utils._dask import refuse_dask
from skpairclust.utils._doc_link import DocLinkMixin
from skpairclust.utils._param_validation import check_columns, check_equal_sizes
from skpairclust.utils._sparse import canonical

# Private attributes that a fit leaves.
PRIVATE_FITTED = {
    *("_architecture", "_network", "_n_features_out", "_offset", "_sample_shape"),
    *("_cluster_of_center", "_is_normalized", "_near_index", "_views"),
}

# Rows sent through the network at once outside of training. Matrix products of a
# few rows round differently: padding makes a row's result the same in any company.
_INFERENCE_ROWS, _LEAST_ROWS = 2048, 16

# Values of results at once.
_INFERENCE_VALUES = 2**22


class BaseNeuralEstimator(
    DocLinkMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """An estimator around a torch network.

    The fitted state is `weights_`, a dict of numpy arrays, and `_architecture`,
    which builds the module that takes them. The module itself is a cache that
    stays behind when the estimator is pickled, so that a fit on a GPU loads on a
    machine without one.
    """

    # What else than the common attributes a saved one has: see `_saved_attributes`.
    _saved_attributes: dict = {}

    @property
    def network_(self) -> torch.nn.Module:
        """torch.nn.Module: the fitted network in evaluation mode."""
        network = self.__dict__.get("_network")
        if network is None:
            check_is_fitted(self, "weights_")
            network = self._network = self._build_network()
        return network

    def _build_network(self):
        """Return a module with the fitted weights, on the device."""
        with default_torch_state():
            network = load_numpy_state(self._architecture.build(), self.weights_)
            return network.to(resolve_device(self.device, fallback=True)).eval()

    def __getstate__(self):
        rebuilt = ("_network", "_near_index")
        state = {k: v for k, v in super().__getstate__().items() if k not in rebuilt}
        if "_architecture" in state:
            # As plain data: pickles know public classes only.
            state["_architecture"] = vars(self._architecture).copy()
        return state

    def __setstate__(self, state):
        if "_architecture" in state:
            state = {**state, "_architecture": Architecture(**state["_architecture"])}
        super().__setstate__(state)
        # An older version may not have had all parameters.
        for name, parameter in signature(type(self)).parameters.items():
            self.__dict__.setdefault(name, parameter.default)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        if hasattr(self, "predict_proba"):
            # scikit-learn's checks of sparse X read these of all that have it
            tags.classifier_tags = ClassifierTags()
        return tags

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted estimator to a file that holds no code.

        Weights and arrays go to a safetensors file, parameters into its metadata as
        JSON. The file is read again before it gets its name, so it appears whole and
        usable or not at all. Of several that write to one path, the last one wins.

        All fitted attributes are in it. Those of an embedder include the embeddings
        of the samples of `fit`.

        Parameters
        ----------
        path : str or path-like
            Where to write, for instance ``"digits.safetensors"``.

        Raises
        ------
        ValueError
            If something of it could not be read again, such as an attribute of one's
            own that is no plain data or is named like a method.
        """
        check_is_fitted(self)
        save_estimator(self, path)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        device: str | torch.device = "auto",
        **callables: Any,
    ) -> Self:
        """Read an estimator that `save` wrote; nothing in the file is executed.

        Parameters
        ----------
        path : str or path-like
            The file.

        device : str, default="auto"
            The parameter `device` of the result; that of the saved estimator may
            not exist here.

        **callables
            The parameters of the saved estimator that were callables, such as
            `network`: code is not saved.

        Returns
        -------
        estimator
            In the fitted state in which it was saved. A `random_state` that was not
            an integer is None.

        Raises
        ------
        ValueError
            If the file is no regular one, cut short, altered, of a newer format, or of
            another estimator; or if a part of it is not what the estimator needs.
        """
        return load_estimator(cls, path, device=device, callables=callables)

    def _parameters(self):
        """Return the parameters as attributes of an object of their own."""
        return SimpleNamespace(**self.get_params(deep=False))

    def _make_hook(self, context, X, told, make_attributes):
        """Return what tells callbacks of each epoch of a training, None without any."""
        if not getattr(self, "_skl_callbacks", None):
            return None
        return EpochCallbacks(context, self, X, told, self.max_iter, make_attributes)

    def _keep(self, run, architecture):
        """Set the fitted attributes that all estimators have."""
        self._architecture = architecture
        network = architecture.network
        self.network_kind_ = network if isinstance(network, str) else "callable"
        self.weights_ = run.weights
        self.loss_ = run.loss
        self.loss_curve_ = run.loss_curve
        self.n_iter_ = run.n_iter
        self._network = self._build_network()

    def _finish(self, compute):
        """Return what follows from a training that is over, in spite of a Ctrl-C."""
        try:
            return compute()
        except KeyboardInterrupt:
            warnings.warn(
                "fit was interrupted when its training was over: nothing is lost. "
                "Another Ctrl-C stops it.",
                stacklevel=5,
            )
            return compute()

    def _start_warm(self, task, earlier):
        """Return the task with the weights of an earlier fit, if it asks for them."""
        if not self.warm_start or task.architecture != earlier.get("_architecture"):
            return task
        return replace(task, initial_weights=earlier["weights_"])

    def _check_X(self, X, *, reset, look=None):
        """Return X as an array of floats that the network can take.

        `look` gets blocks of rows of an array while they are checked.
        """
        if not reset and look is None and self._is_ready(X):
            return X
        refuse_dask(X)
        # Batch normalization, and a clustering, need two.
        n_least = 2 if reset else 1
        if is_lazy(X):
            X = LazyRows(X, ensure_min_samples=n_least)
            if reset:
                self.n_features_in_ = X.shape[1]
        else:
            X = check_equal_sizes(to_array(X))
            check_columns(X)
            if not reset and getattr(X, "ndim", 0) + len(self._sample_shape) > 3:
                # Of tables, scikit-learn names the columns.
                self._check_sample_shape(X)
            X = validate_data(
                self,
                X,
                reset=reset,
                dtype=_float_dtypes(X),
                allow_nd=True,
                accept_sparse="csr",
                order="C",
                ensure_min_samples=n_least,
                # Below, where the row is named.
                ensure_all_finite=False,
            )
            X = canonical(X)
            check_values(X, look)
        if not math.prod(X.shape[1:]):
            raise ValueError(f"X has samples without values, of shape {X.shape[1:]}.")
        if reset:
            self._sample_shape = X.shape[1:]
            self._offset = find_offset(X)
        else:
            self._check_sample_shape(X)
        return X

    def _check_sample_shape(self, X):
        """Raise unless samples have the shape of those of `fit`."""
        if X.shape[1:] != self._sample_shape:
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}, but "
                f"{type(self).__name__} was fitted on samples of shape "
                f"{self._sample_shape}."
            )

    def _is_ready(self, X):
        """Whether all checks of a fitted estimator would return X itself.

        They take longer than the network does for a single row.
        """
        return (
            type(X) is np.ndarray
            and X.dtype in (np.float32, np.float64)
            and X.flags.c_contiguous
            and len(X) > 0
            and X.shape[1:] == self._sample_shape
            # Who fitted a data frame is warned of an array.
            and not hasattr(self, "feature_names_in_")
            and is_bounded(X)
        )

    def _near_zero(self, X):
        """Return checked X as rows that float32 can tell apart."""
        return subtract_offset(X, self._offset)

    def _infer(self, X, function, n_columns, reduce=None, *, dense=False):
        """Return `function` of the network and checked X, by blocks of rows, float32.

        Parameters
        ----------
        X : array, CSR matrix or LazyRows
        function : callable
            Takes the network and a batch and returns a tensor.
        n_columns : int
            Of the result of `function`.
        reduce : callable, optional
            Makes one number of each row of such a result, int64; these are returned.
        dense : bool
            Whether `function` takes no sparse batch.

        Raises
        ------
        ValueError
            If a result of `function` is not finite.
        """
        # As wide as results are: a few blocks of them are in memory.
        n_rows = max(_LEAST_ROWS, min(_INFERENCE_ROWS, _INFERENCE_VALUES // n_columns))
        with default_torch_state():
            network = self.network_
            device = next(network.parameters()).device
            near = self._near_zero(X)
            rows = self._architecture.make_rows(near, device, dense=dense)
            shape = (len(rows),) if reduce else (len(rows), n_columns)
            result = np.empty(shape, dtype=np.int64 if reduce else np.float32)
            is_finite = np.empty(len(rows), dtype=bool)
            with torch.inference_mode():
                for block in rows.blocks(n_rows):
                    x = rows.take(block)
                    y = function(network, _padded(x))[: len(x)].float()
                    # NaN is no less; `isfinite` takes three times as long.
                    is_finite[block] = (y.abs().amax(1) < math.inf).cpu().numpy()
                    y = y if reduce is None else reduce(y)
                    result[block] = y.cpu().numpy()
        _check_finite(is_finite)
        return result

    def transform(self, X: Samples) -> Any:
        """Return the features that the last hidden layer makes of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), float32
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        return self._infer(X, forward_features, self._n_features_out)


def _float_dtypes(X):
    """Return what X is converted to, unless it is one of the two already."""
    # Integers of many bits, such as times, are not all float32.
    is_exact = np.can_cast(getattr(X, "dtype", np.int64), np.float32)
    return [np.float32, np.float64] if is_exact else [np.float64, np.float32]


def _check_finite(is_finite):
    """Raise if the network answered with what is no number, for some rows."""
    if not is_finite.all():
        row = int(np.argmin(is_finite))
        raise ValueError(
            f"The network's output for X[{row}] is not finite "
            f"({np.count_nonzero(~is_finite)} such rows): it may lie far outside of "
            "the samples of fit, as a value that stands for a missing one does."
        )


def _padded(x):
    """Return `x` with rows of zeros appended where it has only a few."""
    missing = _LEAST_ROWS - len(x)
    if isinstance(x, SparseBatch) and missing > 0:
        return x.padded(_LEAST_ROWS)
    return x if missing <= 0 else torch.cat([x, x.new_zeros(missing, *x.shape[1:])])
