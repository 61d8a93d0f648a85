"""ConstrainedNeuralClusterer: the estimator's API."""

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClusterMixin
from sklearn.utils import check_random_state

from skpairclust.clusterer._calibration import DEFAULT_TEMPERATURE
from skpairclust.clusterer._kept_pairs import warn_of_violated
from skpairclust.clusterer._noise import estimate_flip_rate
from skpairclust.clusterer._queries import ClusterQueries
from skpairclust.clusterer._restarts import choose_run, run_restarts
from skpairclust.clusterer._saved import SAVED_ATTRIBUTES
from skpairclust.clusterer._task import make_task, warn_of_a_bound
from skpairclust.constraints._mistakes import explains_names
from skpairclust.constraints._supervision import as_told, check_supervision
from skpairclust.constraints._typing import AnyArray, RandomState, Samples
from skpairclust.losses._pairs import PAIR_LOSSES, REDUCTIONS
from skpairclust.neural._augmentation import AUGMENTATIONS, describe_augmentation
from skpairclust.neural._base import PRIVATE_FITTED
from skpairclust.neural._checkpoint import (
    FitCheckpoints,
    check_parameters,
    describe_fit,
)
from skpairclust.neural._distributed import join_group
from skpairclust.neural._epoch_hooks import TrialCallbacks
from skpairclust.neural._finished import check_finished
from skpairclust.neural._heads import count_features
from skpairclust.neural._networks import BUILT_IN, INITIAL_WEIGHTS
from skpairclust.neural._optimizers import OPTIMIZERS
from skpairclust.neural._pair_weights import check_pair_weights
from skpairclust.neural._precision import PRECISIONS
from skpairclust.neural._tasks import describe_network
from skpairclust.neural._torch_utils import default_torch_state
from skpairclust.neural._training import SCHEDULES
from skpairclust.utils._compat import with_callbacks
from skpairclust.utils._param_validation import (
    Interval,
    Scales,
    StrOptions,
    non_negative,
    positive,
    positive_int,
    restarts,
    warn_of_scales,
)
from skpairclust.utils._state import new_fit


class ConstrainedNeuralClusterer(ClusterMixin, ClusterQueries):
    r"""Cluster with a neural network trained on must-link and cannot-link pairs.

    A network with one softmax output per cluster is trained so that the outputs for a
    must-link agree and those for a cannot-link differ. There are no cluster centers,
    and new samples are clustered by one pass through the network. Samples without
    constraints are also used in training, unless ``unlabeled=None``.

    Parameters
    ----------
    n_clusters : int, "auto" or None, default=None
        Maximum number of clusters. Clusters that stay empty are not counted in
        `n_clusters_`. None is the number of classes if `y` holds labels, else 8.
        "auto" starts with as many clusters as the cannot-links could
        tell apart, and at most 100. It does not assume equal sizes. It needs pairs
        that are drawn at random or that include cannot-links between all clusters.
        With few pairs it finds too many clusters.

    network : str or callable, default="auto"
        "mlp" has fully connected layers. "conv" is a convolutional network for images
        of at least 8 x 8; "lenet" is that of [1]_, for at least 16 x 16.
        "centered_conv" is "conv" for what images show, moved to the middle and scaled.
        "auto" is "conv" for images, which are samples of two or three dimensions, and
        "mlp" for tables and smaller images. A callable receives ``(input_shape,
        n_outputs)`` and returns a `torch.nn.Module` that ends in a linear layer with
        `n_outputs` logits.

    augment : str, list of str, callable or None, default="auto"
        Random changes of samples, under which clusters should stay as they are. The
        names are for images, and several follow one another. "shift" moves an image,
        "crop" enlarges a part of it, "affine" rotates, scales, shears and shifts.
        "elastic" does so less, and also bends images, which suits handwriting. "mirror"
        swaps left and right. "auto" is "elastic" for gray images, "affine" for others,
        and None for tables, for images of less than 8 x 8 and for ``unlabeled=None``. A
        callable receives a batch, a float32 tensor of shape (B, ...), and a
        `torch.Generator` on its device. It returns a tensor of the same shape.

    noise_rate : float or "estimate", default=0.0
        Share of the pairs whose kind is wrong, in [0, 0.5). "estimate" finds it by
        expectation maximization during training. The loss is corrected for this share
        [4]_, so that wrong pairs are not memorized. The wrong pairs that walks add are
        always estimated. Needs ``loss="mcl"``.

    max_iter : int, default=50
        Number of epochs. An epoch is a pass over the constraints. With unlabeled data
        it is also a pass over all samples, or 64 batches of them if these are fewer,
        and has 112 steps at most. It has at least 4 steps. Where walks are used, short
        trainings come first, each of a twelfth of the epochs or up to 96 steps if these
        are more. From what they agree on, fewer epochs follow: two fifths of them if
        an epoch is a pass over all samples, three quarters if it is less than half of
        one, but 200 steps at least. With unlabeled data and a single restart, the
        training from there ends before when none of 1,000 samples has changed its
        cluster for five epochs, no cluster is empty, and none of 250 pairs is violated.
        See `start_`.

    n_init : int, default=1
        Number of restarts. The one with the lowest training loss is kept. All start
        from the outcome of the same short trainings.

    init : {"auto", "random"}, default="auto"
        What the network is taught before it is trained. "auto" is what short trainings
        agree on, each from a clustering that structure proposes; without walks it is
        the must-link groups, if they are at most as many as the clusters, or else
        nothing. "random" is nothing: the training starts from random weights, as in
        the papers. See `start_`.

    random_state : int, RandomState instance or None, default=None
        Controls initial weights, batches and noise. The global random states of
        numpy and torch are not changed.

    The pairs

    loss : {"mcl", "kcl"}, default="mcl"
        Loss of a pair. "kcl" is the contrastive loss on Kullback-Leibler
        divergences of [1]_, "mcl" the cross-entropy of "same cluster" of [2]_.

    margin : float, default=2.0
        Divergence, in nats, beyond which a cannot-link costs nothing; for "kcl".

    reduction : {"mean", "sum"}, default="mean"
        How the costs of the pairs of a batch are combined. "mean" divides their sum
        by the sum of their weights. The authors' code reports a mean, but minimizes
        the sum.

    pair_weight : float or "auto", default="auto"
        Weight of the pair loss in the sum of losses. "auto" rises from 1 to 3 with the
        number of random pairs. It is :math:`3 - 2 s`, where the scarcity s is 1 for up
        to 100 pairs per cluster, and :math:`(100 k / m)^2` for more pairs m. It is 1
        with ``unlabeled=None``, and if must-links are at least 2.25 times as frequent
        as among equal clusters, because such pairs were not drawn at random.

    pair_balance : float, default=None
        Share of the total pair weight of a batch that must-links have together, in
        (0, 1). Among random pairs, one in k is a must-link. None does not change the
        weights.

    classification_weight : float, default=0.0
        Weight of the cross-entropy of labeled samples, if `y` is a 1-d array of
        labels, or constraints with labels (`PairwiseConstraints.with_labels`). If it is
        above 0, cluster c stands for the c-th of the sorted labels. With
        ``pair_weight=0``, this is the only loss of what is known.

    The unlabeled samples

    unlabeled : {"imsat", "vat"} or None, default="imsat"
        What is learned from all samples, constrained or not. "imsat" maximizes the
        information between samples and clusters, and makes outputs robust to
        adversarial perturbation [3]_. "vat" does only the latter, which does not
        assume equal sizes of clusters. None learns from constrained samples only.

    information_weight : float or "auto", default="auto"
        Weight of the information term of "imsat". "auto" is
        :math:`0.1 (1 - u) \log_2 k` for k clusters, because more clusters are harder
        to keep apart. The unevenness u is the certainty that there are not k clusters
        of similar sizes. It is 0 if fewer than 3.5 in k pairs are must-links, and 1
        from 5 in k on and for ``n_clusters="auto"``. If more than 40 % of the pairs
        are must-links, they were not drawn at random, and u is 0.

    augment_weight : float, default=1.0
        Weight of the divergence between the outputs for a sample and for a changed one,
        if there is `augment`.

    adversarial_weight : float, default=1.0
        Weight of the virtual adversarial term of "imsat" and "vat".

    adversarial_radius : float or "auto", default="auto"
        Length of the adversarial perturbation of a sample, in units of its distance
        to the nearest other sample. "auto" is :math:`(1 + s) / 4`, which is .5 if
        there are few pairs and .25 if there are many. It falls to 0 if pairs alone
        place all samples, which is when every sample has a pair with each cluster. With
        `augment` it is 0.

    walk_length : int or "auto", default="auto"
        Maximum number of steps of a random walk along nearest neighbors. The pair loss
        is computed for the samples at which the walks from the samples of a pair end,
        so that a few pairs inform their surroundings. At first, the share of samples
        that walk is the share of unconstrained samples. It falls to s times this value
        over the first half of the training. "auto" reaches about as many samples as a
        cluster has: :math:`\log (n / k) / \log m` steps for n samples and m neighbors.
        With 0, ``unlabeled=None`` or ``loss="kcl"`` there are no walks.

    n_neighbors : int, default=10
        Number of neighbors among which a step of a walk chooses. It is lower in tables
        with fewer than 30 rows per neighbor. Directions in which must-linked samples
        differ count for less [5]_, if pairs that are left out confirm it.

    The network

    hidden_layer_sizes : int, tuple of int or "auto", default="auto"
        Units in each hidden layer of "mlp". "auto" is (128, 128), from 4,000 samples
        on (256, 256), and from 10,000 on (512, 512); with more than 10,000 features,
        it is the size before.

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
        How the learning rate falls: along a half cosine to 0, not at all, or by
        half every 25 epochs.

    batch_size : int, default=256
        Maximum number of constrained samples per step, which are the endpoints of
        half as many pairs. With unlabeled data, the same number is drawn from all
        samples in addition.

    tol : float, default=1e-4
        Training stops when the loss has not fallen by `tol` for
        `n_iter_no_change` epochs.

    n_iter_no_change : int or None, default=None
        None does not look at the loss.

    Running it

    n_jobs : int, default=None
        Number of restarts run in parallel by joblib.

    device : str, default="auto"
        "auto" uses the GPU of CUDA if there is one. Other values are what torch calls
        devices: "cpu", "cuda", "cuda:N", or "mps" and "xpu", which are untested.

    precision : {"auto", "float32", "bfloat16"}, default="auto"
        In which numbers the products of a training are taken; losses and weights stay
        float32. "auto" is bfloat16 for built-in networks on a processor that has
        instructions for it (AVX512-BF16, AMX), where a step takes little more than
        half the time, and float32 elsewhere.

    warm_start : bool, default=False
        Whether to start from the weights of the previous call of `fit`, if their
        shapes are the same.

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
    labels_ : ndarray of shape (n_samples,), int64
        Cluster of each sample of `fit`. Clusters in use come first.

    n_clusters_ : int
        Number of clusters in use.

    pair_weight_, information_weight_, adversarial_radius_ : float
        The weights and the radius, as given or as chosen.

    hidden_layer_sizes_ : tuple of int
        Units in each hidden layer, as given or as chosen.

    size_freedom_ : float
        How far pairs instead of equality determined the sizes of clusters, from 0 to
        1. It is :math:`1 - (100 k / c)^2` for c cannot-links, and at least the
        unevenness u.

    noise_rate_ : float
        Share of wrong pairs, as given or as the fitted model estimates it.

    temperature_ : float
        What `predict_proba` divides logits by, see `calibrate`.

    start_ : {"random", "groups", "ward", "kmeans", "earlier fit"}
        What the training started from: random weights, or the weights of an earlier
        fit; or, where short trainings voted, the one with the largest say. It had been
        taught must-link groups merged by Ward's criterion, these together with patches
        of all other samples ("ward"), or k-means.

    n_iter_ : int
        Number of epochs run.

    loss_ : float
        Training loss of the best epoch.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    network_ : torch.nn.Module
        The trained network. Its logits are in the order of its outputs.

    network_kind_ : {"mlp", "lenet", "conv", "centered_conv", "callable"}
        Which network it is, as given or as chosen.

    augment_ : str or None
        The changes of samples, as given or as chosen; "callable" for a function.

    weights_ : dict of str to ndarray
        State of the network.

    cluster_order_ : ndarray of shape (n_clusters,), int64
        The network's output that stands for each cluster.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if X had any.

    References
    ----------
    .. [1] Hsu, Kira (2016). Neural network-based clustering using pairwise
       constraints. ICLR workshop. arXiv:1511.06321, eq. 1-6.
    .. [2] Hsu, Lv, Schlosser, Odom, Kira (2019). Multi-class classification
       without multi-class labels. ICLR. arXiv:1901.00544, eq. 3.
    .. [3] Hu, Miyato, Tokui, Matsumoto, Sugiyama (2017). Learning discrete
       representations via information maximizing self-augmented training. ICML.
    .. [4] Patrini, Rozza, Menon, Nock, Qu (2017). Making deep neural networks
       robust to label noise: a loss correction approach. CVPR. arXiv:1609.03683.
    .. [5] Bar-Hillel, Hertz, Shental, Weinshall (2005). Learning a Mahalanobis metric
       from equivalence constraints. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.metrics import adjusted_rand_score
    >>> from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
    >>> X, y = load_iris(return_X_y=True)
    >>> constraints = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    >>> clusterer = ConstrainedNeuralClusterer(n_clusters=3, random_state=0)
    >>> labels = clusterer.fit(X, constraints).predict(X)
    >>> bool(adjusted_rand_score(y, labels) > 0.8)
    True
    """

    _parameter_constraints: dict = {
        "n_clusters": [positive_int(), StrOptions({"auto"}), None],
        "network": [StrOptions({"auto", *BUILT_IN}), callable],
        "augment": [
            StrOptions({"auto", *AUGMENTATIONS}),
            "array-like",
            callable,
            None,
        ],
        "noise_rate": [
            Interval(Real, 0, 0.5, closed="left"),
            StrOptions({"estimate"}),
        ],
        "max_iter": [positive_int()],
        "n_init": [restarts()],
        "init": [StrOptions({"auto", "random"})],
        "random_state": ["random_state"],
        "loss": [StrOptions(set(PAIR_LOSSES))],
        "margin": [non_negative()],
        "reduction": [StrOptions(set(REDUCTIONS))],
        "pair_weight": [non_negative(), StrOptions({"auto"})],
        "pair_balance": [Interval(Real, 0, 1, closed="neither"), None],
        "classification_weight": [non_negative()],
        "unlabeled": [StrOptions({"imsat", "vat"}), None],
        "information_weight": [non_negative(), StrOptions({"auto"})],
        "augment_weight": [non_negative()],
        "adversarial_weight": [non_negative()],
        "adversarial_radius": [non_negative(), StrOptions({"auto"})],
        "walk_length": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "n_neighbors": [positive_int()],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like", positive_int()],
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
        "n_jobs": [Integral, None],
        "device": [str, torch.device],
        "precision": [StrOptions(set(PRECISIONS))],
        "warm_start": ["boolean"],
        "checkpoint_dir": [str, PathLike, None],
        "checkpoint_interval": [non_negative()],
        "verbose": ["verbose"],
    }

    _saved_attributes = SAVED_ATTRIBUTES

    def __init__(
        self,
        n_clusters: int | Literal["auto"] | None = None,
        *,
        network: Literal["auto", "centered_conv", "conv", "lenet", "mlp"]
        | Callable[..., Any] = "auto",
        augment: Literal["affine", "auto", "crop", "elastic", "mirror", "shift"]
        | Sequence[str]
        | Callable[..., Any]
        | None = "auto",
        noise_rate: float | Literal["estimate"] = 0.0,
        max_iter: int = 50,
        n_init: int = 1,
        init: Literal["auto", "random"] = "auto",
        random_state: RandomState = None,
        loss: Literal["kcl", "mcl"] = "mcl",
        margin: float = 2.0,
        reduction: Literal["mean", "sum"] = "mean",
        pair_weight: float | Literal["auto"] = "auto",
        pair_balance: float | None = None,
        classification_weight: float = 0.0,
        unlabeled: Literal["imsat", "vat"] | None = "imsat",
        information_weight: float | Literal["auto"] = "auto",
        augment_weight: float = 1.0,
        adversarial_weight: float = 1.0,
        adversarial_radius: float | Literal["auto"] = "auto",
        walk_length: int | Literal["auto"] = "auto",
        n_neighbors: int = 10,
        hidden_layer_sizes: int | Sequence[int] | Literal["auto"] = "auto",
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
        n_jobs: int | None = None,
        device: str | torch.device = "auto",
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        warm_start: bool = False,
        checkpoint_dir: str | PathLike[str] | None = None,
        checkpoint_interval: float = 30.0,
        verbose: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.network = network
        self.augment = augment
        self.noise_rate = noise_rate
        self.max_iter = max_iter
        self.n_init = n_init
        self.init = init
        self.random_state = random_state
        self.loss = loss
        self.margin = margin
        self.reduction = reduction
        self.pair_weight = pair_weight
        self.pair_balance = pair_balance
        self.classification_weight = classification_weight
        self.unlabeled = unlabeled
        self.information_weight = information_weight
        self.augment_weight = augment_weight
        self.adversarial_weight = adversarial_weight
        self.adversarial_radius = adversarial_radius
        self.walk_length = walk_length
        self.n_neighbors = n_neighbors
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
        self.n_jobs = n_jobs
        self.device = device
        self.precision = precision
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
        """Train the network and cluster X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples; more than two dimensions for networks that take images.

        y : PairwiseConstraints or array-like, default=None
            What is known about the samples: `PairwiseConstraints`; a 1-d array with one
            label per sample, a number or a name, and -1, None or NaN for none; an
            (m, 3) integer array of rows ``(i, j, r)`` with r = 1 for must-link and -1
            for cannot-link; an (n, n) array or sparse matrix of 1, -1 and 0 for
            unknown; or None. The index of a pandas object is not read:
            entry i is about row i of X.

        must_link : array-like of shape (m, 2), default=None
            Pairs of row numbers of samples that belong together.

        cannot_link : array-like of shape (m, 2), default=None
            Pairs of row numbers of samples that do not.

        Returns
        -------
        self : ConstrainedNeuralClusterer
            Fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or an input cannot be used, before anything is
            computed; or if the loss of all restarts turned non-finite. An
            estimator that was fitted before keeps its previous state.

        Warns
        -----
        UserWarning
            If chains of must-links contradict cannot-links; if the spread of a feature
            is more than 100 times that of the median feature, or all are tiny; if the
            clusters keep no more pairs than chance would; if ``n_clusters="auto"``
            found so many that there may be more than cannot-links could tell apart; or
            if the training was interrupted. What was learned until then is kept.

        ConvergenceWarning
            If the training ended worse than where it started; the start is kept. If
            the loss turned non-finite after the first epoch; the best weights until
            then are kept.
        """
        self._validate_params()
        check_parameters(self)
        # The restarts, and the trials before them.
        context = self._init_callback_context(max_subtasks=self.n_init + 1)
        with (
            join_group(self) as group,
            new_fit(self, PRIVATE_FITTED) as earlier,
            default_torch_state(),
        ):
            scales = Scales()
            X = self._check_X(X, reset=True, look=scales)
            warn_of_scales(scales.deviations())
            constraints = check_supervision(
                y, n_samples=X.shape[0], must_link=must_link, cannot_link=cannot_link
            )
            check_pair_weights(constraints)
            rng = check_random_state(group.choose_random_state(self.random_state))
            seeds = rng.randint(2**31, size=self.n_init)
            rows = self._near_zero(X)
            task = make_task(self._parameters(), rows, constraints, y, rng)
            task = self._start_warm(task, earlier)
            group.agree(partial(describe_fit, self, X, constraints, task, seeds))
            checkpoints = FitCheckpoints(
                self, X, constraints, task, seeds, len(seeds) + 1
            )
            told = as_told(y, constraints)
            context.call_on_fit_task_begin(estimator=self, X=X, y=told)
            runs = run_restarts(
                rows,
                constraints,
                task,
                seeds,
                callbacks=self._make_trial_callbacks(context, X, told, task),
                n_jobs=self.n_jobs,
                hooks=[
                    self._make_hook(context, X, told, partial(_stopped, task))
                    for _ in seeds
                ],
                files=checkpoints.files,
                group=group,
            )
            self._keep(choose_run(check_finished(runs, self)), task)
            labels, self.noise_rate_ = self._finish(lambda: self._label(X, constraints))
            n_outputs = task.architecture.n_outputs
            self._name_clusters(labels, n_outputs)
            if n_outputs > 1:
                warn_of_violated(constraints, labels)
            if self.n_clusters == "auto":
                warn_of_a_bound(n_outputs, self.n_clusters_, constraints)
        checkpoints.remove(runs, group)
        context.call_on_fit_task_end(estimator=self, X=X, y=told)
        return self

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

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        y : PairwiseConstraints or array-like, default=None
            What is known, as in `fit`.

        must_link, cannot_link : array-like of shape (m, 2), default=None
            Pairs of row numbers, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters.
        """
        return self.fit(X, y, must_link=must_link, cannot_link=cannot_link).labels_

    def _keep(self, run, task):
        """Set what the training and its task leave behind."""
        super()._keep(run, task.architecture)
        self._n_features_out = count_features(
            self._network, task.architecture.input_shape
        )
        self.hidden_layer_sizes_ = task.architecture.hidden_layer_sizes
        for name in ("pair_weight", "information_weight", "adversarial_radius"):
            setattr(self, f"{name}_", getattr(task.objective, name))
        self.augment_ = describe_augmentation(task.objective.augment)
        self.size_freedom_ = task.evidence.size_freedom
        self.temperature_ = DEFAULT_TEMPERATURE
        is_warm = task.initial_weights is not None
        self.start_ = "earlier fit" if is_warm else run.start

    def _label(self, X, constraints):
        """Return the output of each sample, and the share of wrong pairs."""
        if self.noise_rate != "estimate":
            return self._most_likely(X), self.noise_rate
        probabilities = self._probabilities(X)
        rate = estimate_flip_rate(probabilities, constraints)
        return probabilities.argmax(axis=1), rate

    def _make_trial_callbacks(self, context, X, told, task):
        """Return what tells callbacks of trials, None without any."""
        if not getattr(self, "_skl_callbacks", None):
            return None
        return TrialCallbacks(context, self, X, told, len(task.starts))

    def _name_clusters(self, labels, n_outputs):
        """Give the clusters in use the first numbers; set what follows from them."""
        used = np.bincount(labels, minlength=n_outputs) > 0
        self.n_clusters_ = int(used.sum())
        # Where outputs are named after classes, their order has a meaning.
        ordered = np.arange(n_outputs)
        if not self.classification_weight:
            ordered = np.argsort(~used, kind="stable")
        self.cluster_order_ = ordered
        self.labels_ = np.argsort(ordered)[labels]


def _stopped(task, network, rows, index):
    """Return the attributes of an estimator whose training would stop now."""
    return {
        **describe_network(task, network, rows, index),
        "cluster_order_": np.arange(task.architecture.n_outputs),
        "temperature_": DEFAULT_TEMPERATURE,
        "_n_features_out": count_features(network, task.architecture.input_shape),
    }
