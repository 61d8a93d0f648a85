"""The alternative constructors of `PairwiseConstraints`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Self

import numpy as np

from skpairclust.constraints._groups import make_relation
from skpairclust.constraints._labels import encode_labels
from skpairclust.constraints._pairs import count_samples
from skpairclust.constraints._sampling import check_count, sample_pairs
from skpairclust.constraints._sources import (
    draw_far_pairs,
    find_neighbors,
    read_matrix,
    relate_sequences,
    split_triples,
)
from skpairclust.constraints._typing import AnyArray, RandomState


class ConstraintMakers:
    """Class methods that build `PairwiseConstraints` from various kinds of data."""

    @classmethod
    def from_labels(cls, y: AnyArray) -> Self:
        """Constrain every pair of labeled samples.

        The n(n-1)/2 pairs are not listed; the labels are stored instead.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Integers, strings or other names of classes. -1 means unlabeled, and so
            do None, NaN and ``pandas.NA``.

        Returns
        -------
        constraints : PairwiseConstraints
            Must-links within a class, cannot-links between classes, weight 1.

        Raises
        ------
        TypeError
            If the labels are booleans, or numbers and names at once.
        ValueError
            If labels are numbers below -1 or not whole, or not one-dimensional.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> PairwiseConstraints.from_labels([0, 0, 1, -1])
        PairwiseConstraints(n_samples=4, must_link=1, cannot_link=2)
        >>> PairwiseConstraints.from_labels(["cat", "cat", "dog", None])
        PairwiseConstraints(n_samples=4, must_link=1, cannot_link=2)
        """
        labels = encode_labels(y)
        return cls._from_parts(len(labels), relations=make_relation(labels))

    @classmethod
    def sample_from_labels(
        cls,
        y: AnyArray,
        n_pairs: int,
        *,
        noise: float = 0.0,
        balanced: bool = False,
        random_state: RandomState = None,
    ) -> Self:
        """Draw pairs of labeled samples, without repetition.

        Every set of `n_pairs` pairs is equally likely. The list of all pairs is not
        built.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels as in :meth:`from_labels`; unlabeled samples are not drawn.
        n_pairs : int
            How many pairs to draw.
        noise : float in [0, 1], default=0.0
            The share of wrong pairs: exactly ``round(noise * n_pairs)`` pairs,
            chosen at random, are flipped to the other kind.
        balanced : bool, default=False
            Draw ``n_pairs // 2`` must-links, and cannot-links for the rest, each
            kind uniformly. `noise` is applied afterwards.
        random_state : int, RandomState instance or None, default=None
            Seeds the draw.

        Returns
        -------
        constraints : PairwiseConstraints
            Pairs of weight 1.

        Raises
        ------
        TypeError
            If `n_pairs` is not an integer, or `noise` not a number.
        ValueError
            If there are fewer pairs than asked for, or `noise` is not in [0, 1].

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> y = [0, 0, 0, 1, 1, 1]
        >>> PairwiseConstraints.sample_from_labels(y, 8, balanced=True)
        PairwiseConstraints(n_samples=6, must_link=4, cannot_link=4)
        """
        from sklearn.utils import check_random_state

        labels = encode_labels(y)
        pairs, is_must = sample_pairs(
            labels,
            check_count(n_pairs),
            noise=noise,
            balanced=balanced,
            rng=check_random_state(random_state),
        )
        return cls(pairs[is_must], pairs[~is_must], n_samples=len(labels))

    @classmethod
    def from_tuples(cls, triples: AnyArray, n_samples: int) -> Self:
        """Read rows (i, j, r) with r = +1 for must-link, -1 for cannot-link.

        Parameters
        ----------
        triples : array-like of shape (m, 3)
            Integers.
        n_samples : int
            The number of rows of X.

        Returns
        -------
        constraints : PairwiseConstraints
            Pairs of weight 1; the weights of repeated rows are added.

        Raises
        ------
        TypeError
            If the triples are not integers.
        ValueError
            If r is not +1 or -1, an index is out of range, or i equals j.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> PairwiseConstraints.from_tuples([(0, 1, 1), (1, 2, -1)], n_samples=3)
        PairwiseConstraints(n_samples=3, must_link=1, cannot_link=1)
        """
        must_link, cannot_link = split_triples(triples)
        return cls(must_link, cannot_link, n_samples=n_samples)

    @classmethod
    def from_matrix(cls, M: AnyArray) -> Self:
        """Read a matrix of +1 (must-link), -1 (cannot-link) and 0 (unknown).

        Parameters
        ----------
        M : array-like or sparse matrix of shape (n_samples, n_samples)
            Symmetric, or with only one triangle filled. Other magnitudes than 1
            are weights. Positive diagonal entries are ignored. Entries of a sparse
            matrix that are stored several times are added up, as SciPy does: +1
            twice is a must-link of weight 2.

        Returns
        -------
        constraints : PairwiseConstraints
            One pair for each two entries (i, j) and (j, i).

        Raises
        ------
        TypeError
            If the entries are not numbers.
        ValueError
            If the two triangles differ, the diagonal has negative entries, an
            entry is not finite, one place holds entries of both signs, or the
            matrix is not square.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints.from_matrix([[0, 1, -2], [1, 0, 0], [-2, 0, 0]])
        >>> c.cannot_link, c.cannot_link_weight
        (array([[0, 2]]), array([2.]))
        """
        must_link, cannot_link, must_weight, cannot_weight = read_matrix(M)
        n_samples = M.shape[0] if hasattr(M, "shape") else len(M)
        return cls(
            must_link,
            cannot_link,
            n_samples=n_samples,
            must_link_weight=must_weight,
            cannot_link_weight=cannot_weight,
        )

    @classmethod
    def from_neighbors(
        cls,
        X: AnyArray,
        *,
        n_neighbors: int | None = 5,
        radius: float | None = None,
        cannot_radius: float | None = None,
        n_cannot_link: int | None = None,
        metric: str | Callable[..., float] = "euclidean",
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> Self:
        """Must-link near samples, and cannot-link far ones if asked to.

        X may hold the features, or positions of the samples in space or time.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Coordinates to measure distances in.
        n_neighbors : int or None, default=5
            Number of nearest samples to which every sample is must-linked. None
            must-links it to all samples within `radius`.
        radius : float or None, default=None
            Only samples at most this far apart are must-linked.
        cannot_radius : float or None, default=None
            Random pairs farther apart than this are cannot-linked. None makes no
            cannot-links.
        n_cannot_link : int or None, default=None
            How many cannot-links to draw with `cannot_radius`. None draws as many
            as there are must-links. Fewer are returned if too few of ten times as
            many random pairs are far apart.
        metric : str or callable, default="euclidean"
            A metric of :class:`~sklearn.neighbors.NearestNeighbors`; with
            `cannot_radius` one of
            :func:`~sklearn.metrics.pairwise.paired_distances`.
        n_jobs : int or None, default=None
            Processes for the search.
        random_state : int, RandomState instance or None, default=None
            Seeds the draw of cannot-links.

        Returns
        -------
        constraints : PairwiseConstraints
            Pairs of weight 1.

        Raises
        ------
        ValueError
            If `n_neighbors` and `radius` are both None.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> X = [[0.0], [0.1], [5.0], [5.1]]
        >>> PairwiseConstraints.from_neighbors(X, n_neighbors=1).must_link.tolist()
        [[0, 1], [2, 3]]
        """
        from sklearn.utils import check_random_state

        near = find_neighbors(
            X, n_neighbors=n_neighbors, radius=radius, metric=metric, n_jobs=n_jobs
        )
        n_samples = count_samples(X)
        # a and b may be neighbors of each other: that is one pair, of weight 1
        must_link = np.unique(np.sort(near, axis=1), axis=0)
        cannot_link = None
        if cannot_radius is not None:
            n_far = len(must_link) if n_cannot_link is None else n_cannot_link
            cannot_link = draw_far_pairs(
                X,
                check_count(n_far),
                radius=cannot_radius,
                metric=metric,
                rng=check_random_state(random_state),
            )
        return cls(must_link, cannot_link, n_samples=n_samples)

    @classmethod
    def from_sequences(
        cls,
        sequence_ids: AnyArray,
        *,
        times: AnyArray | None = None,
        max_gap: float | timedelta | np.timedelta64 | None = None,
        tolerance: float | timedelta | np.timedelta64 | None = None,
    ) -> Self:
        """Constrain the samples of tracks, sessions or other sequences.

        The samples of a sequence show the same object and are must-linked. With
        `times`, two sequences that are present at the same time show different
        objects, and all their samples are cannot-linked. The pairs are not listed.

        Parameters
        ----------
        sequence_ids : array-like of shape (n_samples,)
            Number or name of each sample's sequence; -1 or a missing one for none.
        times : array-like of shape (n_samples,) or None, default=None
            When each sample was taken: numbers (e.g. frames); dates (``datetime64``,
            ``datetime``, pandas), those with a time zone compared in UTC; or offsets
            (``timedelta64``, ``timedelta``). Only samples without a sequence may
            lack one.
        max_gap : number, timedelta, timedelta64, pandas.Timedelta or None, default=None
            Cut a sequence where neighboring samples are farther apart in time
            than this, as a tracker may have gone over to another object meanwhile.
            A number is in the unit of `times` if these are numbers, and in seconds
            if they are dates or offsets, in whatever unit they are stored.
            The pieces count as sequences of their own, with no constraint between
            them unless they are present at the same time.
        tolerance : number, timedelta, timedelta64, pandas.Timedelta or None, \
                default=None
            Samples of different sequences whose times differ by at most this count
            as simultaneous, for cameras or sensors whose clocks do not tick
            together. In the units of `max_gap`. None, as 0, takes equal times only.

        Returns
        -------
        constraints : PairwiseConstraints
            Pairs of weight 1.

        Raises
        ------
        TypeError
            If ids, times or spans are of the wrong type, dates with and without a
            time zone are mixed, or `max_gap` or `tolerance` is a timedelta while
            times are numbers.
        ValueError
            If shapes differ, a sample of a sequence has no finite time, `max_gap` or
            `tolerance` is negative or NaN, or either comes without `times`.

        Notes
        -----
        Times that are floats are known up to rounding: a difference that exceeds a
        span by less than the spacing of floats at these times counts as equal to it.

        Examples
        --------
        >>> import numpy as np
        >>> from skpairclust import PairwiseConstraints
        >>> PairwiseConstraints.from_sequences([7, 7, 8, 8, 9], times=[0, 1, 1, 2, 5])
        PairwiseConstraints(n_samples=5, must_link=2, cannot_link=4)

        Two cameras whose clocks are half a second apart, and a track that is lost
        for a minute:

        >>> clock = np.datetime64("2024-05-01T10:00:00.000")
        >>> times = clock + np.array([0, 1_000, 61_000, 500, 1_500])  # milliseconds
        >>> PairwiseConstraints.from_sequences(
        ...     ["a", "a", "a", "b", "b"], times=times, max_gap=5, tolerance=0.5
        ... )
        PairwiseConstraints(n_samples=5, must_link=2, cannot_link=4)
        """
        n_samples, relations = relate_sequences(sequence_ids, times, max_gap, tolerance)
        return cls._from_parts(n_samples, relations=relations)
