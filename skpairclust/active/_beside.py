"""Fits beside the questions: a copy is fitted while the learner goes on asking."""

import copy


class FitsBeside:
    """The part of a learner that lets another thread do its fits."""

    @property
    def is_fit_due(self):
        """Whether there are `refit_every` answers since the last fit."""
        self._check_started()
        n_new = len(self.history_) - self._n_answers_fitted
        return self.refit != "final" and n_new >= self.refit_every

    def fork(self, *, to_fit=True):
        """Return a learner with the same samples, answers and model, to be fitted.

        A page that must not wait for a fit passes ``fit=False`` to :meth:`tell`, calls
        :meth:`update` of the fork in another thread, and then :meth:`adopt`. The two
        share X. A lock of the caller has to keep `fork` and `adopt` apart from other
        calls; the fit itself needs none.

        Parameters
        ----------
        to_fit : bool, default=True
            False does not copy the model. Such a fork is for questions: what would be
            asked if the answer to a pair were this or that?

        Returns
        -------
        ActivePairLearner
            What is told to it, or fitted, does not change this one.
        """
        self._check_started()
        other = copy.copy(self)
        other._judge = copy.copy(self._judge)
        other._judge._starts = dict(self._judge._starts)
        if to_fit and hasattr(self, "estimator_"):
            # a warm fit goes on with this very object
            other.estimator_ = copy.deepcopy(self.estimator_)
        return other

    def adopt(self, other):
        """Take the model of a fork. Answers since then are kept, and so are removals.

        Parameters
        ----------
        other : ActivePairLearner
            A fitted fork of this learner.

        Returns
        -------
        self : ActivePairLearner
            With the fork's `estimator_` and `labels_`.

        Raises
        ------
        ValueError
            If it has other samples.
        """
        self._check_started()
        if getattr(other, "_X", None) is not self._X:
            raise ValueError(
                f"other={other!r:.80} has other samples than this learner. Pass what "
                "`fork()` returned, after `update()`, and call `start` on neither."
            )
        n_answers, n_fitted = len(self.history_), len(other.history_)
        self.estimator_, self.labels_ = other.estimator_, other.labels_
        self._refits = [
            r._replace(n_answers=min(r.n_answers, n_answers)) for r in other._refits
        ]
        self._judged = other._judged
        if self.history_[:n_fitted] != other.history_:
            # it was judged by answers that have been taken back
            self._judged = self._judged._replace(n_answers=0)
        self._set_history(self.history_)
        return self
