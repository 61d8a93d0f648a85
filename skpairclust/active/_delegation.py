"""What a learner leaves to its clusterer."""

from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if

from skpairclust.active._model_view import is_fitted


def _delegates(name):
    """Return a check that the estimator has a method."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return available_if(check)


class DelegatedMethods:
    """The methods of the fitted clusterer, where it has them."""

    def _check_fitted(self):
        """Raise if there is no model."""
        if not is_fitted(getattr(self, "estimator_", None)):
            raise NotFittedError(
                f"This {type(self).__name__} has no model yet: call fit(X, "
                "oracle=...), or update() after some answers."
            )

    @_delegates("predict")
    def predict(self, X):
        """Return the cluster of each sample, as the estimator does.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Clusters.
        """
        self._check_fitted()
        return self.estimator_.predict(X)

    @_delegates("predict_proba")
    def predict_proba(self, X):
        """Return the probability of each cluster, as the estimator does.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Probabilities.
        """
        self._check_fitted()
        return self.estimator_.predict_proba(X)

    @_delegates("transform")
    def transform(self, X):
        """Return features of each sample, as the estimator does.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Features.
        """
        self._check_fitted()
        return self.estimator_.transform(X)

    @property
    def n_features_in_(self):
        """Number of features seen in `fit`."""
        if not hasattr(self, "estimator_"):
            raise AttributeError(f"{type(self).__name__} has no n_features_in_ yet.")
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of features seen in `fit`."""
        if not hasattr(self, "estimator_"):
            raise AttributeError(f"{type(self).__name__} has no names of features yet.")
        return self.estimator_.feature_names_in_

    @_delegates("transform")
    def fit_transform(self, X, y=None, **fit_params):
        """Ask, fit, and return features of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        y : PairwiseConstraints or array-like, default=None
            What is known of them.

        **fit_params : dict
            Other arguments of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Features.
        """
        return self.fit(X, y, **fit_params).transform(X)

    @_delegates("get_feature_names_out")
    def get_feature_names_out(self, input_features=None):
        """Return the names of the features, as the estimator does.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features of X.

        Returns
        -------
        ndarray of str
            Names.
        """
        self._check_fitted()
        return self.estimator_.get_feature_names_out(input_features)

    @_delegates("set_output")
    def set_output(self, *, transform=None):
        """Set what `transform` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            As in scikit-learn.

        Returns
        -------
        self : ActivePairLearner
            Itself.
        """
        for estimator in (self.estimator, getattr(self, "_template", None)):
            if estimator is not None:
                estimator.set_output(transform=transform)
        if hasattr(self, "estimator_"):
            self.estimator_.set_output(transform=transform)
        return self
