"""Short trainings from several seeds, of which the most promising goes on."""

import math
from dataclasses import replace

import numpy as np
import torch

from skpairclust.clusterer._batching import ConstraintBatches
from skpairclust.clusterer._losses import mcl_loss
from skpairclust.neural._torch_utils import load_numpy_state, to_device
from skpairclust.neural._training import train

# One network in so many merges and splits classes of MNIST for good. This can be seen
# after a sixth of the epochs, without the adversarial passes, which cost the most.
_N_TRIALS, _SHARE = 4, 1 / 6

# Batches that a trial is judged by, and the share of pairs that walks get wrong.
_N_BATCHES, _WRONG = 32, 0.05


def choose_start(network, rows, constraints, task, seed, make_objective, hooks):
    """Load the most promising of a few short trainings into `network`.

    All trials satisfy the pairs, because they memorize them. Trials differ in the
    likelihood of the pairs after their samples have walked.

    Parameters
    ----------
    network : torch.nn.Module
    rows : FeatureRows
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    make_objective : callable
        Makes the loss of a step of ``(rows, constraints, task, seed)``.
    hooks : EpochHooks
        Prints the progress of the trials.

    Returns
    -------
    TrainingRun or None
        The trial that the user interrupted, None if all ran.
    """
    n_epochs = int(_SHARE * task.training.max_iter)
    can_judge = task.evidence.can_judge and task.walk is not None
    if not (can_judge and n_epochs and task.initial_weights is None):
        return None
    short = replace(
        task,
        objective=replace(task.objective, adversarial_weight=0.0),
        training=replace(task.training, max_iter=n_epochs, n_iter_no_change=None),
    )
    batches = _draw_batches(constraints, task, seed)
    lowest, best = math.inf, None
    seeds = np.random.RandomState(seed).randint(2**31, size=_N_TRIALS)
    for number, trial_seed in enumerate(seeds, 1):
        candidate = task.architecture.build(int(trial_seed)).to(rows.device)
        objective = make_objective(rows, constraints, short, int(trial_seed))
        with hooks.watch_trial(number, _N_TRIALS, n_epochs) as on_epoch:
            n_steps, training = objective.n_steps, short.training
            run = train(candidate, objective, n_steps, training, on_epoch=on_epoch)
        if run.interrupted:
            network.load_state_dict(candidate.state_dict())
            return run
        misfit = math.inf if run.weights is None else _misfit(candidate, rows, batches)
        if misfit < lowest:
            lowest, best = misfit, run.weights
    if best is not None:
        load_numpy_state(network, best)
    return None


def _draw_batches(constraints, task, seed):
    """Return batches of walked rows and what is known of those they came from."""
    rng = np.random.RandomState(seed)
    stream = iter(ConstraintBatches(constraints, task.objective.batch_size, rng))
    drawn = [next(stream) for _ in range(_N_BATCHES)]
    return [(task.walk(batch.rows, rng), batch.relation) for batch in drawn]


def _misfit(network, rows, batches):
    """Return the mean negative log-likelihood of walked pairs."""
    network.eval()
    with torch.no_grad():
        losses = [
            mcl_loss(
                network(rows.take(walked)).log_softmax(1),
                to_device(relation, rows.device),
                flip_rate=_WRONG,
            )
            for walked, relation in batches
        ]
    return float(torch.stack(losses).mean())
