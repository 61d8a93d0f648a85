"""MetricEmbedder: the estimator's API."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skpairclust.constraints._mistakes import explains_names
from skpairclust.constraints._supervision import as_told, check_supervision
from skpairclust.constraints._typing import AnyArray, RandomState, Samples
from skpairclust.embedder._centers import find_centers
from skpairclust.embedder._objective import MARGINS, embed_rows, run_training
from skpairclust.embedder._queries import EmbeddingQueries, would_cluster
from skpairclust.embedder._saved import SAVED_ATTRIBUTES
from skpairclust.embedder._task import check_learnable, hold_out, make_task
from skpairclust.embedder._triplet_pool import POOLS
from skpairclust.losses._distances import REDUCTIONS
from skpairclust.losses._mining import MINERS
from skpairclust.neural._augmentation import AUGMENTATIONS, describe_augmentation
from skpairclust.neural._base import PRIVATE_FITTED
from skpairclust.neural._checkpoint import (
    FitCheckpoints,
    check_parameters,
    describe_fit,
)
from skpairclust.neural._distributed import join_group
from skpairclust.neural._finished import check_finished
from skpairclust.neural._networks import BUILT_IN, INITIAL_WEIGHTS
from skpairclust.neural._optimizers import OPTIMIZERS
from skpairclust.neural._pair_weights import check_pair_weights
from skpairclust.neural._tasks import describe_network
from skpairclust.neural._torch_utils import default_torch_state
from skpairclust.neural._training import SCHEDULES
from skpairclust.utils._compat import available_if, with_callbacks
from skpairclust.utils._param_validation import (
    Interval,
    StrOptions,
    non_negative,
    positive,
    positive_int,
)
from skpairclust.utils._state import new_fit

# Embeddings that differ less than this in all components are one point.
_COLLAPSED = 1e-4


class MetricEmbedder(EmbeddingQueries):
    r"""Learn an embedding whose distances separate classes.

    A neural network is trained on labels, or on must-link and cannot-link pairs, so
    that samples of one class are close to each other and samples of different classes
    are far apart. The Euclidean distance of embeddings then also separates classes that
    were not in the training data. New samples can be embedded, and then searched and
    clustered with any method for vectors.

    Parameters
    ----------
    n_components : int, default=64
        Number of components of the embedding.

    loss : str, default="triplet"
        With the distance d of anchor a, positive p and negative n, and margin m:

        - "triplet": :math:`\max(0, d_{ap} - d_{an} + m)`;
        - "squared_triplet": the same of squared distances [1]_;
        - "ratio_triplet": :math:`(\frac{e^{d_{ap}}}{e^{d_{ap}} + e^{d_{an}}})^2 -
          (\frac{e^{d_{an}}}{e^{d_{ap}} + e^{d_{an}}})^2`, after [2]_;
        - "soft_triplet": :math:`d_{ap} + \log(e^{m - d_{an}} + e^{m - d_{pn}})`;
        - "lifted": each must-link against all cannot-links of both ends [3]_;
        - "lifted_max": each must-link against the nearest of these, eq. 3 of [3]_;
        - "contrastive": :math:`d^2` of a must-link, :math:`\max(0, m - d)^2` of a
          cannot-link [4]_;
        - "hinge_embedding": :math:`d` and :math:`\max(0, m - d)`.

    network : str or callable, default="auto"
        "mlp" has fully connected layers. "conv" and "lenet" are convolutional networks,
        for images of at least 8 x 8 and 16 x 16. "centered_conv" is "conv" for what
        images show, moved to the middle and scaled. "auto" is "mlp" for tables and
        smaller images; and "conv" for images, which are samples of two or three
        dimensions, or "centered_conv" if distances of centered images tell the pairs
        apart far better than those of the images. A callable receives
        ``(input_shape, n_outputs)`` and returns a `torch.nn.Module` that ends in a
        linear layer with `n_outputs` outputs; it may be pretrained.

    augment : str, list of str, callable or None, default="auto"
        Random changes of training samples, to which the embedding becomes robust. The
        names are for images, and several follow one another. "shift" moves an image,
        "crop" enlarges a part of it, "affine" rotates, scales, shears and shifts.
        "elastic" does so less, and also bends images, which suits handwriting. "mirror"
        swaps left and right. "auto" is "elastic" for gray images, "affine" for others,
        and None for tables and images of less than 8 x 8. A callable receives a batch,
        a float32 tensor of shape (B, ...), and a `torch.Generator` on its device. It
        returns a tensor of the same shape.

    augment_classes : bool or "auto", default="auto"
        Whether further classes of images are made of the known ones in training. Images
        that belong together are turned by the same random multiple of a right angle,
        and in half of the groups of a batch, each shows one of another group as well.
        Images that are not square are turned by half only. When the training is over,
        images are embedded in all their positions, four or two, of which the first
        `n_components` principal components are kept; of more than 2048 components of
        all positions, one position is. New classes are told apart better, but few known
        ones worse. "auto" does so with gray images of at least 50 classes.

    unlabeled : {"auto", "instances"} or None, default="auto"
        What is learned from samples that are not known to belong with another.
        "instances" makes each of them and a changed copy a class of its own, which
        needs `augment` [7]_. It helps if there are many classes and these samples are
        of others than those that are labeled; else, samples of one class are often
        pushed apart. "auto" does so with pairs of images of at least 50 classes, for
        triplet losses with ``mining="auto"``. None learns nothing.

    max_iter : int, default=50
        Number of epochs. An epoch has as many steps as a pass over the constrained
        samples, or over the pairs if these are drawn, but at least 4 and at most 1,000.

    random_state : int, RandomState instance or None, default=None
        Controls initial weights, batches and mining. The global random states of numpy
        and torch are not changed.

    The pairs

    margin : float, default=None
        The margin m. None means 0.2 for triplets and 1 for the other losses.

    mining : str, default="auto"
        Which triplets count, for triplet losses: one of the names that follow. "all"
        are all of the batch. "violating" are those whose negative is nearer than the
        positive. "hardest" is the farthest positive and the nearest negative of each
        anchor [5]_. "semihard" is, for each pair, the nearest negative that is farther
        than the positive, but within the margin [1]_. "random" is one random negative
        for each pair. "pool" uses a list made from all samples, see `pool`. "auto" is
        "semihard", except for "triplet" and "squared_triplet" if not all pairs are
        known; then it is "all". With labels, all pairs are known.

    pool : {"closest", "semihard", "violating", "kmeans", "random"}, default="closest"
        With ``mining="pool"``, which negatives are on the list: the closest of all, the
        closest beyond the positive, the farthest that are nearer than the positive,
        those that k-means confuses with the anchor, or random ones. Half of the
        negatives are random with any kind, as are positives.

    pool_epochs : int, default=5
        Epochs after which the list, or the search for hard negatives, is renewed.

    swap : bool, default=False
        Compare the negative with anchor or positive, whichever is nearer [6]_.
        "soft_triplet" compares it with both, so there this changes nothing.

    positive_percentile : float, default=100
        In (0, 100], for triplet losses. Positives count up to this percentile of the
        distances from each anchor to its positives, so that a class may have several
        clusters.

    reduction : {"active", "mean", "sum"}, default="active"
        How the costs of a batch are combined. "active" is the mean of those that are
        not 0. For losses of pairs, it is computed for must-links and cannot-links
        separately. The equation of "lifted" is the "mean" over all must-links.

    sampling : {"classes", "hard"}, default="classes"
        What a batch contains. "classes" takes some samples from each of some classes.
        "hard" takes random positive pairs and the nearest negatives of both samples, in
        the embedding of a few epochs before. If most must-linked groups have no
        cannot-link, "contrastive" and "hinge_embedding" with "classes" use listed pairs
        instead, with both kinds in equal numbers.

    samples_per_class : int, default=4
        Number of samples per class in a batch. It is higher if there are too few
        classes to fill a batch. With pairs, must-link components replace classes.

    normalize : bool, default=None
        Whether embeddings are scaled to length 1. None means True, except for "lifted",
        which is defined without scaling, and for a single component, of which only the
        sign would be left. With True, "lifted" multiplies distances by eight, because
        the largest distance of 2 is too small for this loss.

    The clusters

    n_clusters : int, default=None
        Number of clusters for `predict`. With None, there is no clustering.

    clusters_per_class : int, default=1
        Number of k-means centers per cluster. Average linkage joins the centers to
        `n_clusters` clusters.

    merge_clusters : bool, default=True
        False keeps the `clusters_per_class` times `n_clusters` centers apart, each as a
        cluster.

    The network

    hidden_layer_sizes : int or tuple of int, default=(256, 256)
        Units in each hidden layer of "mlp".

    input_shape : tuple of int, default=None
        Shape in which the network takes one sample, for instance ``(1, 28, 28)``.
        Rows of a 2-d X are reshaped to it. None leaves X unchanged, but the built-in
        networks get images whose channels come last, at most four, with the channels
        first. So does a callable if this shape has the channels of X first.

    dropout : float, default=0.0
        Share of the hidden units that are left out at random in training, in [0, 1).
        They are the inputs of all fully connected layers but the first layer of the
        network. For built-in networks.

    initial_weights : {"he", "torch7"}, default="he"
        How the weights of built-in networks are drawn. "torch7" draws them as Torch 7
        did, in which the first papers on this subject were written: uniform, much
        smaller, and with random factors of batch normalization.

    head_learning_rate_multiplier : float, default=1.0
        Factor for the learning rate of the last linear layer. For a network that was
        pretrained up to this layer, use about 10 and a lower `learning_rate`.

    The training

    optimizer : {"adam", "sgd"}, default="adam"
        How the weights are updated.

    learning_rate : float, default=2e-3
        Step size at the start.

    momentum : float, default=0.9
        Momentum of "sgd", in [0, 1).

    weight_decay : float, default=0.0
        Weight of the squared norm of the weights.

    schedule : {"cosine", "constant", "halving"}, default="cosine"
        How the learning rate falls: along a half cosine to 0, not at all, or by half
        every 25 epochs.

    batch_size : int, default=256
        Maximum number of samples per step.

    tol : float, default=1e-4
        Training stops when the score of the validation part has not risen by `tol` for
        `n_iter_no_change` epochs.

    n_iter_no_change : int or None, default=None
        None trains for `max_iter` epochs. Needs `validation_fraction`.

    validation_fraction : float, default=0.0
        Share of the classes that is held out to choose the best epoch, or of the
        samples if there are few classes. With labels, the score is that of k-means with
        `clusters_per_class` clusters per class, see `validation_score`. With pairs, it
        is the area under the ROC curve of their distances. 0 keeps the last epoch.

    validation_score : {"nmi", "accuracy"}, default="nmi"
        How clusters are compared with labels of the validation part: by normalized
        mutual information, or by the share of samples that have the label of their
        cluster. Labels are assigned to clusters one to one; if there are several
        clusters per class, each gets its most frequent label.

    Running it

    device : str, default="auto"
        "auto" uses the GPU of CUDA if there is one. Other values are what torch calls
        devices: "cpu", "cuda", "cuda:N", or "mps" and "xpu", which are untested.

    warm_start : bool, default=False
        Whether to start from the weights of the previous call of `fit`, if their shapes
        are the same.

    checkpoint_dir : str or path-like, default=None
        Folder in which a fit keeps its state. If the process is killed, the same call
        of `fit` goes on where it was, and the result is the same as without the
        interruption. The files are removed when `fit` has succeeded. It needs a
        `random_state`.

    checkpoint_interval : float, default=30.0
        Seconds between two states at least. If it takes long to write one, they are
        so far apart that writing takes about a hundredth of the time.

    verbose : int, default=0
        Above 0, print the progress of each epoch.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components), float32
        Embedding of the samples of `fit`.

    labels_ : ndarray of shape (n_samples,), int64
        Cluster of each sample of `fit`, if `n_clusters` is set.

    cluster_centers_ : ndarray of shape (n_centers, n_components), float32
        Centers of k-means in the embedding, if `n_clusters` is set. There are
        `clusters_per_class` for each cluster.

    validation_scores_ : list of float
        Score of the validation part after each epoch, of images in one position; empty
        without one.

    margin_ : float
        The margin.

    n_iter_ : int
        Number of epochs run.

    loss_ : float
        Training loss of the epoch whose weights were kept.

    loss_curve_ : list of float
        Mean training loss of each epoch. With ``reduction="active"`` it need not fall
        while the embedding improves, because fewer terms are left.

    network_ : torch.nn.Module
        The trained network. Its outputs are not yet normalized, and are of one position
        of an image where `augment_classes_` is True.

    augment_classes_ : bool
        Whether further classes were made of the known ones.

    unlabeled_ : {"instances"} or None
        What was learned from samples without a partner, as given or as chosen.

    network_kind_ : {"mlp", "lenet", "conv", "centered_conv", "callable"}
        Which network it is, as given or as chosen.

    augment_ : str or None
        The changes of training samples, as given or as chosen; "callable" for a
        function.

    weights_ : dict of str to ndarray
        State of the network.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if X had any.

    References
    ----------
    .. [1] Schroff, Kalenichenko, Philbin (2015). FaceNet: a unified embedding for face
       recognition and clustering. CVPR. arXiv:1503.03832, eq. 3.
    .. [2] Hoffer, Ailon (2015). Deep metric learning using triplet network. SIMBAD.
       arXiv:1412.6622.
    .. [3] Oh Song, Xiang, Jegelka, Savarese (2016). Deep metric learning via lifted
       structured feature embedding. CVPR. arXiv:1511.06452, eq. 4.
    .. [4] Hadsell, Chopra, LeCun (2006). Dimensionality reduction by learning an
       invariant mapping. CVPR, eq. 4.
    .. [5] Hermans, Beyer, Leibe (2017). In defense of the triplet loss for person
       re-identification. arXiv:1703.07737, eq. 5.
    .. [6] Balntas, Riba, Ponsa, Mikolajczyk (2016). Learning local feature descriptors
       with triplets and shallow convolutional neural networks. BMVC.
    .. [7] Dosovitskiy, Fischer, Springenberg, Riedmiller, Brox (2016). Discriminative
       unsupervised feature learning with exemplar convolutional neural networks. TPAMI.

    Examples
    --------
    Learn from some samples, and embed others:

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skpairclust import MetricEmbedder
    >>> X, y = load_digits(return_X_y=True)
    >>> X, X_new, y, y_new = train_test_split(X / 16, y, random_state=0)
    >>> embedder = MetricEmbedder(16, max_iter=5, random_state=0).fit(X, y)
    >>> embedder.transform(X_new).shape
    (450, 16)
    >>> embedder.score(X_new, y_new) > 0.9  # Recall@1
    True
    """

    _parameter_constraints: dict = {
        "n_components": [positive_int()],
        "loss": [StrOptions(set(MARGINS))],
        "network": [StrOptions({"auto", *BUILT_IN}), callable],
        "augment": [
            StrOptions({"auto", *AUGMENTATIONS}),
            "array-like",
            callable,
            None,
        ],
        "augment_classes": ["boolean", StrOptions({"auto"})],
        "unlabeled": [StrOptions({"auto", "instances"}), None],
        "max_iter": [positive_int()],
        "random_state": ["random_state"],
        "margin": [positive(), None],
        "mining": [StrOptions({"auto", "all", "violating", "pool", *MINERS})],
        "pool": [StrOptions(set(POOLS))],
        "pool_epochs": [positive_int()],
        "swap": ["boolean"],
        "positive_percentile": [Interval(Real, 0, 100, closed="right")],
        "reduction": [StrOptions(set(REDUCTIONS))],
        "sampling": [StrOptions({"classes", "hard"})],
        "samples_per_class": [Interval(Integral, 2, None, closed="left")],
        "normalize": ["boolean", None],
        "n_clusters": [positive_int(), None],
        "clusters_per_class": [positive_int()],
        "merge_clusters": ["boolean"],
        "hidden_layer_sizes": ["array-like", positive_int()],
        "input_shape": ["array-like", None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "initial_weights": [StrOptions(set(INITIAL_WEIGHTS))],
        "head_learning_rate_multiplier": [positive()],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "learning_rate": [positive()],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [non_negative()],
        "schedule": [StrOptions(set(SCHEDULES))],
        "batch_size": [Interval(Integral, 4, None, closed="left")],
        "tol": [non_negative()],
        "n_iter_no_change": [positive_int(), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "validation_score": [StrOptions({"nmi", "accuracy"})],
        "device": [str, torch.device],
        "warm_start": ["boolean"],
        "checkpoint_dir": [str, PathLike, None],
        "checkpoint_interval": [non_negative()],
        "verbose": ["verbose"],
    }

    _saved_attributes = SAVED_ATTRIBUTES

    def __init__(
        self,
        n_components: int = 64,
        *,
        loss: Literal[
            "contrastive",
            "hinge_embedding",
            "lifted",
            "lifted_max",
            "ratio_triplet",
            "soft_triplet",
            "squared_triplet",
            "triplet",
        ] = "triplet",
        network: Literal["auto", "centered_conv", "conv", "lenet", "mlp"]
        | Callable[..., Any] = "auto",
        augment: Literal["affine", "auto", "crop", "elastic", "mirror", "shift"]
        | Sequence[str]
        | Callable[..., Any]
        | None = "auto",
        augment_classes: bool | Literal["auto"] = "auto",
        unlabeled: Literal["auto", "instances"] | None = "auto",
        max_iter: int = 50,
        random_state: RandomState = None,
        margin: float | None = None,
        mining: Literal[
            "all", "auto", "hardest", "pool", "random", "semihard", "violating"
        ] = "auto",
        pool: Literal[
            "closest", "kmeans", "random", "semihard", "violating"
        ] = "closest",
        pool_epochs: int = 5,
        swap: bool = False,
        positive_percentile: float = 100,
        reduction: Literal["active", "mean", "sum"] = "active",
        sampling: Literal["classes", "hard"] = "classes",
        samples_per_class: int = 4,
        normalize: bool | None = None,
        n_clusters: int | None = None,
        clusters_per_class: int = 1,
        merge_clusters: bool = True,
        hidden_layer_sizes: int | Sequence[int] = (256, 256),
        input_shape: Sequence[int] | None = None,
        dropout: float = 0.0,
        initial_weights: Literal["he", "torch7"] = "he",
        head_learning_rate_multiplier: float = 1.0,
        optimizer: Literal["adam", "sgd"] = "adam",
        learning_rate: float = 2e-3,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        schedule: Literal["constant", "cosine", "halving"] = "cosine",
        batch_size: int = 256,
        tol: float = 1e-4,
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.0,
        validation_score: Literal["nmi", "accuracy"] = "nmi",
        device: str | torch.device = "auto",
        warm_start: bool = False,
        checkpoint_dir: str | PathLike[str] | None = None,
        checkpoint_interval: float = 30.0,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.loss = loss
        self.network = network
        self.augment = augment
        self.augment_classes = augment_classes
        self.unlabeled = unlabeled
        self.max_iter = max_iter
        self.random_state = random_state
        self.margin = margin
        self.mining = mining
        self.pool = pool
        self.pool_epochs = pool_epochs
        self.swap = swap
        self.positive_percentile = positive_percentile
        self.reduction = reduction
        self.sampling = sampling
        self.samples_per_class = samples_per_class
        self.normalize = normalize
        self.n_clusters = n_clusters
        self.clusters_per_class = clusters_per_class
        self.merge_clusters = merge_clusters
        self.hidden_layer_sizes = hidden_layer_sizes
        self.input_shape = input_shape
        self.dropout = dropout
        self.initial_weights = initial_weights
        self.head_learning_rate_multiplier = head_learning_rate_multiplier
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.batch_size = batch_size
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.validation_score = validation_score
        self.device = device
        self.warm_start = warm_start
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_interval = checkpoint_interval
        self.verbose = verbose

    @explains_names
    @with_callbacks
    def fit(
        self,
        X: Samples,
        y: AnyArray | None = None,
        *,
        must_link: AnyArray | None = None,
        cannot_link: AnyArray | None = None,
    ) -> Self:
        """Train the network and embed X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples; more than two dimensions for networks that take images. A memory
            map, or any object that has a length and returns an array for an integer, is
            read batch by batch and never as a whole.

        y : PairwiseConstraints or array-like
            What is known about the samples: `PairwiseConstraints`; a 1-d array with one
            label per sample, a number or a name, and -1, None or NaN for none; an
            (m, 3) integer array of rows ``(i, j, r)`` with r = 1 for must-link and -1
            for cannot-link; an (n, n) array or sparse matrix of 1, -1 and 0 for
            unknown; None only with `must_link` and
            `cannot_link`. The index of a pandas object is not read:
            entry i is about row i of X.

        must_link : array-like of shape (m, 2), default=None
            Pairs of row numbers of samples that belong together.

        cannot_link : array-like of shape (m, 2), default=None
            Pairs of row numbers of samples that do not.

        Returns
        -------
        self : MetricEmbedder
            Fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or an input cannot be used, for instance without any
            must-link or cannot-link; or if the loss was never finite. An estimator
            that was fitted before keeps its previous state.

        Warns
        -----
        UserWarning
            If chains of must-links contradict cannot-links, if all samples have the
            same embedding, or if the training was interrupted. What was learned until
            then is kept.

        ConvergenceWarning
            If the loss turned non-finite after the first epoch; the best weights until
            then are kept.
        """
        self._validate_params()
        check_parameters(self)
        context = self._init_callback_context(max_subtasks=1)
        with (
            join_group(self) as group,
            new_fit(self, PRIVATE_FITTED) as earlier,
            default_torch_state(),
        ):
            X = self._check_X(X, reset=True)
            constraints = check_supervision(
                y, n_samples=X.shape[0], must_link=must_link, cannot_link=cannot_link
            )
            check_pair_weights(constraints)
            is_given = any(known is not None for known in (y, must_link, cannot_link))
            params = self._parameters()
            check_learnable(constraints, params, is_given=is_given)
            rows = self._near_zero(X)
            task = self._start_warm(make_task(params, rows, constraints), earlier)
            rng = check_random_state(group.choose_random_state(self.random_state))
            seeds = rng.randint(2**31, size=3)
            seed, split_seed, kmeans_seed = seeds
            validation = hold_out(params, constraints, int(split_seed))
            group.agree(partial(describe_fit, self, X, constraints, task, seeds))
            checkpoints = FitCheckpoints(self, X, constraints, task, seeds)
            told = as_told(y, constraints)
            context.call_on_fit_task_begin(estimator=self, X=X, y=told)
            run = run_training(
                rows,
                constraints,
                task,
                int(seed),
                validation=validation,
                hook=self._make_hook(
                    *(context, X, told),
                    partial(_stopped, task, params, int(kmeans_seed)),
                ),
                checkpoint_file=checkpoints.files[0],
                group=group,
            )
            check_finished([run], self)
            self._keep(run, task)
            if task.objective.augment_classes:
                self._finish(lambda: self._look_around(rows, group))
            self.embedding_ = self._finish(lambda: self._embed(X))
            self._warn_of_collapse()
            if self.n_clusters is not None:
                self._finish(lambda: self._cluster(int(kmeans_seed)))
        checkpoints.remove([run], group)
        context.call_on_fit_task_end(estimator=self, X=X, y=told)
        return self

    @available_if(would_cluster)
    @explains_names
    def fit_predict(
        self,
        X: Samples,
        y: AnyArray | None = None,
        *,
        must_link: AnyArray | None = None,
        cannot_link: AnyArray | None = None,
    ) -> NDArray[np.int64]:
        """Train the network and return the cluster of each sample of X.

        Available if `n_clusters` is set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        y : PairwiseConstraints or array-like
            What is known, as in `fit`.

        must_link, cannot_link : array-like of shape (m, 2), default=None
            Pairs of row numbers, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters, from 0: those of k-means in the embedding.
        """
        return self.fit(X, y, must_link=must_link, cannot_link=cannot_link).labels_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _keep(self, run, task):
        """Set what the training and its task leave behind."""
        super()._keep(run, task.architecture)
        self._n_features_out = task.architecture.n_outputs
        self.augment_ = describe_augmentation(task.objective.augment)
        self.augment_classes_ = task.objective.augment_classes
        self.unlabeled_ = task.objective.unlabeled
        self.margin_ = task.objective.margin
        self._is_normalized = task.objective.normalize
        is_validated = bool(self.validation_fraction)
        self.validation_scores_ = [-v for v in run.criterion_curve if is_validated]

    def _warn_of_collapse(self):
        """Warn if the embedding of X is a single point."""
        if np.ptp(self.embedding_, axis=0).max() < _COLLAPSED:
            warnings.warn(
                "The embedding of all samples is one point. If the samples do differ, "
                f"try a lower learning_rate={self.learning_rate}, mining='all' or "
                f"another margin={self.margin_}.",
                stacklevel=5,
            )


def _stopped(task, params, seed, network, rows, index):
    """Return the attributes of an estimator whose training would stop now."""
    is_normalized = task.objective.normalize

    def cluster(network):
        if params.n_clusters is None:
            return {}
        all_rows = np.arange(len(rows))
        embedding = embed_rows(network, rows, all_rows, normalize=is_normalized)
        centers, cluster_of_center = find_centers(embedding, params, seed)
        return {"cluster_centers_": centers, "_cluster_of_center": cluster_of_center}

    return {
        **describe_network(task, network, rows, index, look=cluster),
        "_n_features_out": task.architecture.n_outputs,
        "_is_normalized": is_normalized,
    }
