"""Metric learning without its estimator: one training, numbers in and out."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from skpairclust.embedder._batching import (
    GroupBatches,
    HardBatches,
    PairBatches,
    TripletBatches,
    count_steps,
)
from skpairclust.embedder._instances import Instances, find_instances
from skpairclust.embedder._known_groups import KnownGroups
from skpairclust.embedder._triplet_pool import TripletPool
from skpairclust.embedder._validation import Validation, make_criterion
from skpairclust.losses._distances import (
    contrastive_loss,
    hinge_embedding_loss,
    lifted_loss,
)
from skpairclust.losses._triplets import triplet_loss
from skpairclust.neural._augmentation import make_augmentation
from skpairclust.neural._class_augmentation import augment_classes
from skpairclust.neural._distributed import ALONE
from skpairclust.neural._spread import spread
from skpairclust.neural._tasks import NetworkTask, run_task
from skpairclust.neural._torch_utils import (
    make_generator,
    to_device,
)
from skpairclust.neural._training import train

_INFERENCE_ROWS = 2048

# Normalized embeddings are at most 2 apart: too little for the lifted loss, whose sums
# over all negatives would stay above any must-link.
_LIFTED_SCALE = 8.0

PAIR_LOSSES = {
    "contrastive": contrastive_loss,
    "hinge_embedding": hinge_embedding_loss,
    "lifted": lifted_loss,
    "lifted_max": partial(lifted_loss, nested_max=True),
}
LIFTED = ("lifted", "lifted_max")
# The cost of a triplet and whether distances are squared.
TRIPLET_LOSSES = {
    "triplet": ("hinge", False),
    "squared_triplet": ("hinge", True),
    "ratio_triplet": ("ratio", False),
    "soft_triplet": ("soft", False),
}
MARGINS = {
    "contrastive": 1.0,
    "hinge_embedding": 1.0,
    "lifted": 1.0,
    "lifted_max": 1.0,
    "triplet": 0.2,
    "squared_triplet": 0.2,
    "ratio_triplet": 0.2,
    "soft_triplet": 0.2,
}


@dataclass(frozen=True)
class EmbeddingOptions:
    """What to minimize; the names are those of the estimator's parameters."""

    loss: str
    margin: float
    reduction: str
    mining: str
    pool: str
    pool_epochs: int
    swap: bool
    positive_percentile: float
    sampling: str
    augment: object
    augment_classes: bool
    unlabeled: str | None
    normalize: bool
    batch_size: int
    samples_per_class: int


@dataclass(frozen=True, kw_only=True)
class EmbeddingTask(NetworkTask):
    """One problem; `objective` is `EmbeddingOptions`."""


def embed(network, x, *, normalize):
    """Return the embedding of a batch, rows of length 1 if `normalize`."""
    x = network(x)
    return functional.normalize(x) if normalize else x


def embed_rows(network, rows, index, *, normalize):
    """Return the embedding of some rows in evaluation mode, float32 numpy.

    Parameters
    ----------
    network : torch.nn.Module
        Left in the mode that it came in.
    rows : FeatureRows
    index : ndarray of int64
    normalize : bool

    Returns
    -------
    ndarray of shape (len(index), d), float32
    """
    was_training = network.training
    network.eval()
    size = rows.bounded(_INFERENCE_ROWS)
    try:
        with torch.inference_mode():
            parts = [
                embed(network, rows.take(index[i : i + size]), normalize=normalize)
                for i in range(0, len(index), size)
            ]
            return torch.cat(parts).float().cpu().numpy()
    finally:
        # A step that had no memory for this is taken again.
        network.train(was_training)


def run_training(
    X,
    constraints,
    task,
    seed,
    *,
    validation=None,
    hook=None,
    checkpoint_file=None,
    group=ALONE,
):
    """Train one network.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, ...)
    constraints : PairwiseConstraints
    task : EmbeddingTask
    seed : int
        Decides the initial weights, the batches and the mining.
    validation : Validation, optional
        Rows held out and how to score them; without it the last epoch counts.
    hook : callable, optional
        Called after each epoch: see `_epoch_hooks`.
    checkpoint_file : CheckpointFile, optional
        Where the training goes on if it was begun before.
    group : Group, optional
        The processes that train it together.

    Returns
    -------
    TrainingRun
    """
    if validation is None:
        validation = Validation.nothing(constraints)

    def fit_network(network, rows, on_epoch, checkpoint):
        train_on = validation.train
        objective = EmbeddingObjective(
            rows, constraints[train_on], task.objective, seed, train_on, group=group
        )
        embed_some = partial(embed_rows, normalize=task.objective.normalize)
        return train(
            network,
            objective,
            objective.n_steps,
            task.training,
            on_epoch=on_epoch,
            criterion=make_criterion(
                validation, lambda network, index: embed_some(network, rows, index)
            ),
            checkpoint=checkpoint,
        )

    known = KnownGroups(constraints[validation.train])
    index = validation.train[known.groups >= 0]
    return run_task(
        X,
        task,
        seed,
        fit_network,
        index=index,
        hook=hook,
        checkpoint_file=checkpoint_file,
        group=group,
    )


def draws_pairs(options, known):
    """Return whether batches are drawn by the pair and not by the group.

    Only losses of single pairs can do without groups, and groups serve them better
    where most are known to differ from some other.

    Parameters
    ----------
    options : EmbeddingOptions
    known : KnownGroups

    Returns
    -------
    bool
    """
    compares_pairs = options.loss in ("contrastive", "hinge_embedding")
    is_listed = not known.constraints._relations
    can_do = compares_pairs and options.sampling == "classes" and is_listed
    return can_do and not known.are_most_rich


def can_compare(options, known):
    """Return whether there is anything that the loss could compare.

    Parameters
    ----------
    options : EmbeddingOptions
    known : KnownGroups

    Returns
    -------
    bool
    """
    return bool(len(known.rich)) or draws_pairs(options, known)


def resolve_mining(options, *, is_complete):
    """Return which triplets count, where `options` leave it open.

    Semi-hard triplets separate new classes better than all triplets. With a hinge, this
    holds only if all pairs of a batch are known. Costs without a hinge have a slope
    everywhere, so that the many easy triplets would outweigh the others.
    """
    if options.mining != "auto":
        return options.mining
    has_hinge = options.loss in ("triplet", "squared_triplet")
    return "all" if has_hinge and not is_complete else "semihard"


class EmbeddingObjective:
    """The loss of a step: draws a batch, embeds it, and compares.

    Parameters
    ----------
    rows : FeatureRows
        All samples.
    constraints : PairwiseConstraints
        Of the samples to train on.
    options : EmbeddingOptions
    seed : int
    index : ndarray of int64
        Where the samples to train on are in `rows`.
    group : Group, optional
        The processes that compute it together.
    """

    def __init__(self, rows, constraints, options, seed, index, *, group=ALONE):
        self.rows = rows
        self.group = group
        self.options = options
        self.index = index
        self._rng = rng = np.random.RandomState(seed)
        self._generator = make_generator(rng.randint(2**31), rows.device)
        self._augment = make_augmentation(options.augment, rows.input_shape)
        self.known = KnownGroups(constraints)
        self.mining = resolve_mining(options, is_complete=self.known.is_complete)
        self._pool = self._triplets = None
        self._n_calls = 0
        self._instances = None
        if options.unlabeled == "instances" and len(find_instances(self.known)):
            self._instances = Instances(self.known, options.batch_size, rng)
        batches = self._make_batches(rng)
        n_others = 0 if self._instances is None else len(self._instances.rows)
        self.n_steps = count_steps(self.known, options.batch_size, n_others)
        if isinstance(batches, PairBatches):
            self.n_steps = batches.n_steps
        self._batches = iter(batches)

    def __call__(self, network):
        """Return the loss of the next step, a scalar tensor."""
        self._refresh_pool(network)
        rows, triplets = next(self._batches)
        if self._instances is None:
            relation = self.known.relation(rows)
        else:
            rows, relation = self._instances.join(rows)
        changes = self._augment is not None or self.options.augment_classes
        x = self.rows.take(self.index[rows], dense=changes)
        if self.options.augment_classes:
            numbers = self.known.number(rows)
            x = augment_classes(x, numbers, self._rng, self._generator)
        if self._augment is not None:
            x = self._augment(x, self._generator)
        network = spread(network, self.group)
        x = embed(network, x, normalize=self.options.normalize)
        return self._compare(x, relation, triplets)

    def state(self):
        """Return what the next steps depend on, as plain data and tensors."""
        return {
            "n_calls": self._n_calls,
            "pool": None if self._pool is None else self._pool.embedding,
            "triplets": self._triplets,
            "batches": self._batches.state(),
            "instances": self._instances and self._instances.stream.state(),
            "rng": self._rng.get_state(),
            "generator": self._generator.get_state(),
        }

    def restore(self, state):
        """Go to where an objective like this one was."""
        self._n_calls, self._triplets = state["n_calls"], state["triplets"]
        if self._pool is not None:
            self._pool.embedding = state["pool"]
        self._batches.restore(state["batches"])
        if self._instances is not None:
            self._instances.stream.restore(state["instances"])
        # Last: streams have used them.
        self._rng.set_state(tuple(state["rng"]))
        self._generator.set_state(state["generator"])

    def _make_batches(self, rng):
        """Return the source of batches that the options name."""
        options = self.options
        is_pooled = self.mining == "pool" and options.loss in TRIPLET_LOSSES
        if is_pooled or options.sampling == "hard":
            self._pool = TripletPool(self.known, options.margin, rng)
        if is_pooled:
            self._triplets = self._pool.list_triplets("random")
            return TripletBatches(options.batch_size, rng, lambda: self._triplets)
        if options.sampling == "hard":
            find = self._pool.find_negatives
            return HardBatches(self.known, options.batch_size, rng, find)
        if draws_pairs(options, self.known):
            return PairBatches(self.known.constraints, options.batch_size, rng)
        size = options.batch_size
        if self._instances is not None:
            size = max(
                2 * options.samples_per_class, size - 2 * self._instances.n_drawn
            )
        return GroupBatches(self.known, size, options.samples_per_class, rng)

    def _refresh_pool(self, network):
        """Find new hard examples every few epochs, but not before the first."""
        period = self.n_steps * self.options.pool_epochs
        if self._pool is not None and self._n_calls and self._n_calls % period == 0:
            index = self.index[self._pool.rows]
            normalize = self.options.normalize
            self._pool.refresh(
                embed_rows(network, self.rows, index, normalize=normalize)
            )
            if self.mining == "pool":
                self._triplets = self._pool.list_triplets(self.options.pool)
        self._n_calls += 1

    def _compare(self, x, relation, triplets):
        """Return the loss of embeddings, given what is known of them, an array."""
        options = self.options
        common = {"margin": options.margin, "reduction": options.reduction}
        if options.loss in LIFTED and options.normalize:
            x = _LIFTED_SCALE * x
        if options.loss in PAIR_LOSSES:
            relation = to_device(relation, x.device)
            return PAIR_LOSSES[options.loss](x, relation, **common)
        cost, squared = TRIPLET_LOSSES[options.loss]
        most_positives = None
        if triplets is None:
            # Counted here: on the device, the step would wait for it.
            most_positives = int((relation > 0).sum(axis=1).max())
        else:
            triplets = [to_device(np.ascontiguousarray(t), x.device) for t in triplets]
        return triplet_loss(
            x,
            to_device(relation, x.device),
            cost=cost,
            squared=squared,
            mining=self.mining,
            swap=options.swap,
            positive_percentile=options.positive_percentile,
            triplets=triplets,
            generator=self._generator,
            most_positives=most_positives,
            **common,
        )
