"""The problem that all restarts share, and the loss of a step."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from skpairclust.clusterer._batching import ConstraintBatches, count_steps
from skpairclust.clusterer._evidence import Evidence
from skpairclust.clusterer._first_layer import FirstLayerSpace
from skpairclust.clusterer._noise import NoiseEstimate
from skpairclust.clusterer._propagation import NeighborWalk
from skpairclust.clusterer._spacing import Spacing
from skpairclust.clusterer._step_inputs import FixedShapes, StepInputs, fill_up
from skpairclust.clusterer._unlabeled import (
    SizePrior,
    adversarial_loss,
    consistency_loss,
    information_loss,
)
from skpairclust.losses._pairs import balance_kinds, kcl_loss, mcl_loss
from skpairclust.losses._relations import PairList, as_matrix
from skpairclust.neural._augmentation import make_augmentation
from skpairclust.neural._distributed import ALONE
from skpairclust.neural._precision import in_bfloat16, lowers_precision
from skpairclust.neural._sparse_batch import SparseBatch, join
from skpairclust.neural._spread import spread
from skpairclust.neural._streams import largest_part, shuffled_stream
from skpairclust.neural._tasks import NetworkTask
from skpairclust.neural._torch_utils import (
    make_generator,
    to_device,
)

# Share of the lead after which smoothness has its full weight. At once, it merges some
# of many clusters; late, clusters that the start has mixed do not part.
_SMOOTH = 0.25

# Share of the training over which walks fade.
_FADE = 0.5


@dataclass(frozen=True)
class ObjectiveOptions:
    """What to minimize; the names are those of the estimator's parameters."""

    loss: str
    margin: float
    reduction: str
    pair_weight: float
    pair_balance: float | None
    classification_weight: float
    unlabeled: str | None
    information_weight: float
    augment: object
    augment_weight: float
    adversarial_weight: float
    adversarial_radius: float
    noise_rate: float | str
    batch_size: int


@dataclass(frozen=True, kw_only=True)
class ClusteringTask(NetworkTask):
    """One problem, the same for all restarts; `objective` is `ObjectiveOptions`."""

    # (n_samples,) int64 class of each sample, -1 = none; None: no such loss
    classes: np.ndarray | None = None
    walk: NeighborWalk | None = None
    evidence: Evidence = field(default_factory=Evidence)
    precision: str = "auto"
    # (n_samples,) float32 distance of each sample to a near one; None: found when drawn
    spacing: np.ndarray | None = None
    # Clusterings to start from by name: (n_samples,) int64 labels, -1 = none
    starts: dict = field(default_factory=dict)


class Drawn(NamedTuple):
    """Drawn samples on the device, as `adversarial_loss` takes them."""

    x: object
    log_p: object
    radius: object = None
    space: object = None


class PairObjective:
    """The loss of a step, of pairs, labels and unlabeled rows.

    Each call draws the next batches and sends every sample of them through the
    network once; virtual adversarial training adds its two passes. `draw` works on the
    host, `compute` on the device and without waiting for it: see `_steps`.

    Parameters
    ----------
    rows : FeatureRows
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    most_steps : int, optional
        Steps in an epoch at most.
    group : Group, optional
        The processes that compute it together.

    Attributes
    ----------
    settling : Settling or None
        What looks at the clusters after each epoch, whose state goes with this one's.
    """

    def __init__(self, rows, constraints, task, seed, *, most_steps=None, group=ALONE):
        self.settling = None
        self.rows = rows
        self.group = group
        self.options = options = task.objective
        self.device = rows.device
        self.classes = task.classes
        built_in = isinstance(task.architecture.network, str)
        # What a network of the user does between two steps, a record would not show;
        # nor does dropout go on from a checkpoint as it would have.
        recordable = not task.architecture.draws_globally and group.is_alone
        self.can_record = rows.is_resident and recordable
        self._augment = make_augmentation(options.augment, rows.input_shape)
        self.can_record &= not callable(options.augment)
        self._is_low = lowers_precision(task.precision, self.device, built_in=built_in)
        self._rng = rng = np.random.RandomState(seed)
        self._generator = make_generator(rng.randint(2**31), self.device)
        # To another device pairs go as a list, whose matrix is made there: sums over a
        # list would differ from one run on a GPU to the next.
        listed = "few" if self.device.type == "cpu" else "all"
        batches = ConstraintBatches(constraints, options.batch_size, rng, listed=listed)
        self._batches = iter(batches) if batches.n_steps else None
        self._shapes = FixedShapes(batches.largest, options.batch_size)
        self.n_steps = count_steps(
            batches.n_steps,
            len(rows),
            options.batch_size,
            unlabeled=options.unlabeled is not None,
        )
        if most_steps is not None:
            self.n_steps = min(self.n_steps, most_steps)
        # If all samples are in pairs, walks only judge.
        has_walk = task.walk is not None and task.walk.share > 0
        self._walk = task.walk if has_walk else None
        self._walk_rng = np.random.RandomState(rng.randint(2**31))
        self._noise = NoiseEstimate.start(options.noise_rate, self._walk, self.device)
        self._n_all_steps = self.n_steps * task.training.max_iter
        self._n_lead_steps = max(1.0, task.evidence.lead * self._n_all_steps)
        self._prior = SizePrior(
            task.evidence.size_freedom, task.architecture.n_outputs, self.device
        )
        self._n_taken = 0
        self._stream = None
        if options.unlabeled is not None:
            self._stream = shuffled_stream(len(rows), options.batch_size, rng)
            self._n_drawn = largest_part(len(rows), options.batch_size)
        self._is_adversarial = is_adversarial(options)
        self._spacing = None
        if self._is_adversarial and task.spacing is not None:
            self._spacing = to_device(task.spacing, self.device)
        elif self._is_adversarial:
            self._measure = Spacing(rows, rng.randint(2**31))
            # It reads what is on the host.
            self.can_record = False

    def state(self):
        """Return what the next steps depend on, as plain data and tensors."""
        return {
            "n_taken": self._n_taken,
            "batches": None if self._batches is None else self._batches.state(),
            "stream": None if self._stream is None else self._stream.state(),
            "rngs": [self._rng.get_state(), self._walk_rng.get_state()],
            "generator": self._generator.get_state(),
            "flip_rate": self._noise.rate,
            "shares": self._prior.shares,
            "settling": None if self.settling is None else self.settling.state(),
        }

    def restore(self, state):
        """Go to where an objective like this one was."""
        self._n_taken = state["n_taken"]
        for stream, name in ((self._batches, "batches"), (self._stream, "stream")):
            if stream is not None:
                stream.restore(state[name])
        # Last: streams have used them.
        for rng, own in zip((self._rng, self._walk_rng), state["rngs"], strict=True):
            rng.set_state(tuple(own))
        self._generator.set_state(state["generator"])
        if not self._noise.fixed:
            self._noise.rate.copy_(state["flip_rate"])
        self._prior.shares.copy_(state["shares"])
        if self.settling is not None:
            self.settling.restore(state["settling"])

    @property
    def generators(self):
        """What `compute` draws from."""
        return [self._generator]

    def __call__(self, network):
        """Return the loss of the next step, a scalar tensor."""
        return self.compute(network, self.draw())

    def draw(self, *, fixed_shapes=False):
        """Return the inputs of the next step.

        Parameters
        ----------
        fixed_shapes : bool, default=False
            Whether batches that came out smaller are filled up: with some of their
            samples once more, of which no pair is known.

        Returns
        -------
        StepInputs
        """
        self._n_taken += 1
        if self._stream is None:
            return self._draw_constrained(fixed_shapes)
        drawn = next(self._stream)
        if fixed_shapes:
            drawn = fill_up(drawn, self._n_drawn)
        if self._batches is None:
            return StepInputs(drawn=drawn)
        grown = self._n_taken / self._n_lead_steps
        return self._draw_constrained(fixed_shapes)._replace(
            drawn=drawn,
            smoothness=min(1.0, grown / _SMOOTH),
            information=min(1.0, grown),
        )

    def compute(self, network, inputs):
        """Return the loss of a step with these inputs, a scalar tensor."""
        if inputs.drawn is None:
            network = self._lowered(spread(network, self.group))
            x = self._half_changed(self._take(inputs.rows))
            return self._supervised_loss(network(x).log_softmax(1), inputs)
        x = both = self._take(inputs.drawn)
        radius = self._find_radius(x, inputs.drawn) if self._is_adversarial else None
        if inputs.rows is not None:
            # Few pairs are memorized, unless their samples look different each time.
            both = join(self._half_changed(self._take(inputs.rows)), x)
        n_constrained = len(both) - len(x)
        space = through = None
        if isinstance(both, SparseBatch):
            # From here on, samples are what the first layer makes of them.
            if self._is_adversarial:
                space = FirstLayerSpace(network.weight, lowers_precision=self._is_low)
            both, through = network.first(both), network.rest
            x = both[n_constrained:]
        network = self._lowered(spread(network, self.group, through=through))
        log_p = network(both).log_softmax(1)
        drawn = Drawn(x, log_p[n_constrained:], radius, space)
        loss = self._unlabeled_loss(network, drawn, inputs)
        if n_constrained:
            self._prior.update(log_p[:n_constrained])
            loss = self._supervised_loss(log_p[:n_constrained], inputs) + loss
        return loss

    def _take(self, rows):
        """Return samples; only dense ones can be changed."""
        return self.rows.take(rows, dense=self._augment is not None)

    def _lowered(self, network):
        """Return a network, or part of one, in the precision that was chosen."""
        return in_bfloat16(network, self.device) if self._is_low else network

    def _draw_constrained(self, fixed_shapes):
        """Return the inputs of the next batch of constrained samples."""
        rows, relation = next(self._batches)
        if fixed_shapes:
            rows = fill_up(rows, self._shapes.n_samples)
            relation = self._shapes.fix(relation)
        classes = None if self.classes is None else self.classes[rows]
        if self._walk is not None:
            faded = self._n_taken / (_FADE * self._n_all_steps)
            rows = self._walk(rows, self._walk_rng, faded)
        return StepInputs(rows=rows, relation=relation, classes=classes)

    def _supervised_loss(self, log_p, inputs):
        """Return the pair loss and, if it is used, the classification loss."""
        options = self.options
        relation = self._to_device(inputs.relation, len(log_p))
        if options.pair_balance is not None:
            relation = balance_kinds(relation, options.pair_balance)
        if options.loss == "kcl":
            loss = kcl_loss(
                log_p, relation, margin=options.margin, reduction=options.reduction
            )
        else:
            loss = mcl_loss(
                log_p, relation, flip_rate=self._noise, reduction=options.reduction
            )
        loss = options.pair_weight * loss
        if inputs.classes is not None:
            target = to_device(inputs.classes, self.device)
            loss = loss + options.classification_weight * _cross_entropy(log_p, target)
        return loss

    def _to_device(self, relation, n):
        """Return a relation of n samples as tensors."""
        if not isinstance(relation, PairList):
            return to_device(relation, self.device)
        pairs = PairList(*(to_device(part, self.device) for part in relation))
        return pairs if self.device.type == "cpu" else as_matrix(pairs, n)

    def _changed(self, x):
        """Return samples with random changes, if there are any."""
        return x if self._augment is None else self._augment(x, self._generator)

    def _half_changed(self, x):
        """Return samples with random changes of every other one, at random.

        If all were changed, clusters of what the images themselves look like would
        follow from neighbors alone: clothes lost .05 by that, digits lost nothing.
        """
        if self._augment is None:
            return x
        drawn = torch.rand(len(x), generator=self._generator, device=x.device)
        is_changed = (drawn < 0.5).reshape(-1, *[1] * (x.ndim - 1))
        # Functions of users may work in place.
        return torch.where(is_changed, self._changed(x.clone()), x)

    def _find_radius(self, x, drawn):
        """Return how far each drawn sample is changed."""
        if self._spacing is None:
            spacing = self._measure(x)
        else:
            spacing = self._spacing[to_device(drawn, self.device)]
        return self.options.adversarial_radius * spacing

    def _unlabeled_loss(self, network, drawn, inputs):
        """Return IMSAT's loss of the drawn samples."""
        options = self.options
        # Without a gradient, but one that can be asked for.
        loss = 0 * drawn.log_p.sum()
        if self._is_adversarial:
            adversarial = adversarial_loss(
                network,
                drawn.x,
                drawn.log_p,
                drawn.radius,
                self._generator,
                drawn.space,
            )
            loss = options.adversarial_weight * adversarial
        if self._augment is not None and options.augment_weight:
            consistency = consistency_loss(
                network, self._changed(drawn.x), drawn.log_p.detach()
            )
            loss = loss + options.augment_weight * consistency
        loss = _faded(loss, inputs.smoothness)
        if options.unlabeled == "imsat":
            information = information_loss(drawn.log_p, self._prior.log_shares())
            information = _faded(information, inputs.information)
            loss = loss + options.information_weight * information
        return loss


def is_adversarial(options):
    """Whether the loss has a virtual adversarial term."""
    return options.unlabeled is not None and bool(
        options.adversarial_weight * options.adversarial_radius
    )


def _faded(loss, share):
    """Return `loss` with its gradient scaled by `share`, a number or a tensor.

    The value stays comparable between epochs.
    """
    if isinstance(share, float) and share == 1:
        return loss
    return share * loss + (1 - share) * loss.detach()


def _cross_entropy(log_p, target):
    """Return the mean cross-entropy over labeled samples, 0 without any."""
    total = functional.nll_loss(log_p, target, ignore_index=-1, reduction="sum")
    return total / (target >= 0).sum().clamp_min(1)
