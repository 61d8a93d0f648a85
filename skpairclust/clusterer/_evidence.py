"""How much is known from pairs, and what follows for settings that are "auto"."""

import math
from dataclasses import dataclass

import numpy as np

from skpairclust.clusterer._batching import constrained_rows
from skpairclust.constraints._views import without_implied

# Pairs per cluster up to which neighbors and equal sizes are trusted as much as pairs.
# With 100, small tables and images still lost without them; with 500, images gained.
_PAIRS_A_CLUSTER = 100

# Random pairs are mostly cannot-links. If they are not, the pairs were picked, and
# their kinds tell nothing about the sizes of clusters.
_MOST_MUST_LINKS = 0.4

# If must-links are so many times as frequent as among equal clusters, they were perhaps
# or surely picked.
_PERHAPS_PICKED, _SURELY_PICKED = 1.25, 2.25

# Share of the training in which random pairs are trained on first.
_LONGEST_LEAD = 0.5

# Share of the pairs needed to place all samples from which on less smoothness is used:
# vowels with .7 of them lost by smoothness, images with .2 do not.
_PARTLY_PLACED = 0.25

# If must-links are so many times as frequent as among equal clusters, equal clusters
# are unlikely, or ruled out. Nearly a third of wrong pairs at ten clusters stays below.
_PERHAPS_UNEQUAL, _SURELY_UNEQUAL = 3.5, 5.0

# Pairs drawn at random touch a certain number of samples. If they touch at most so much
# of it, or more than so much, they were surely chosen, or perhaps drawn.
_SURELY_CHOSEN, _PERHAPS_DRAWN = 0.5, 0.9

# Assumed share of wrong pairs while it is to be estimated.
_SUPPOSED_NOISE = 0.1


@dataclass(frozen=True)
class Evidence:
    """What the numbers of pairs say before the training.

    Attributes
    ----------
    scarcity : float
        1 if there are too few pairs to do without assumptions, and close to 0 if there
        are many.
    placed : float
        How far pairs place all samples by themselves, 0 to 1; 0 up to a quarter.
    picked : float
        Certainty that must-links were picked and not drawn at random, 0 to 1.
    lead : float
        Share of the training over which the information term grows to full weight, 0
        to 0.5; smoothness does in a quarter of it. Random pairs are mostly cannot-links
        and separate clusters first. Many must-links, right or wrong, would merge
        clusters meanwhile.
    unevenness : float
        Certainty that there are not `n_clusters` clusters of similar sizes, 0 to 1.
    size_freedom : float
        How far clusters may leave equal sizes, 0 to 1.
    """

    scarcity: float = 1.0
    placed: float = 0.0
    picked: float = 0.0
    lead: float = _LONGEST_LEAD
    unevenness: float = 0.0
    size_freedom: float = 0.0

    @property
    def pair_weight(self):
        """Weight of the pair loss; it grows with the number of random pairs."""
        return 1.0 + 2.0 * (1.0 - self.scarcity) * (1.0 - self.picked)

    @property
    def adversarial_radius(self):
        """Perturbation in units of the distance to the nearest other sample."""
        return 0.25 * (1.0 + self.scarcity) * (1.0 - self.placed)

    def information_weight(self, n_clusters):
        """Weight of the information term, which would rather use all clusters."""
        return 0.1 * math.log2(n_clusters) * (1.0 - self.unevenness)


def weigh_evidence(constraints, n_clusters, *, noise_rate=0.0, is_bound=False):
    """Return what the numbers of pairs say about `n_clusters` clusters.

    Parameters
    ----------
    constraints : PairwiseConstraints
    n_clusters : int
    noise_rate : float or "estimate", default=0.0
        Share of wrong pairs; supposed to be .1 while it is unknown.
    is_bound : bool, default=False
        Whether `n_clusters` is an upper bound: sizes are free then.

    Returns
    -------
    Evidence
    """
    # A closure says as much as the pairs that it follows from.
    told = without_implied(constraints)
    n_must, n_cannot = told.n_must_link, told.n_cannot_link
    n_pairs = n_must + n_cannot
    if not (n_must and n_cannot):
        return Evidence(picked=1.0, lead=0.0) if n_must else Evidence()
    wrong = _SUPPOSED_NOISE if noise_rate == "estimate" else noise_rate
    share = max(0.0, (n_must / n_pairs - wrong) / (1 - 2 * wrong))
    frequent = _must_link_excess(share, n_pairs, n_clusters)
    # The kinds of pairs that somebody chose say nothing about sizes.
    unevenness = _ramp(frequent, _PERHAPS_UNEQUAL, _SURELY_UNEQUAL)
    unevenness = 1.0 if is_bound else unevenness * _find_randomness(told)
    n_told_apart = n_clusters / max(1.0, frequent) ** unevenness
    picked = _ramp(share * n_told_apart, _PERHAPS_PICKED, _SURELY_PICKED)
    stated = n_must / n_pairs * n_told_apart
    led = _ramp(stated, _PERHAPS_PICKED, _SURELY_PICKED)
    # A sample is placed by one pair per cluster; labels imply far more.
    placing = n_told_apart * len(constrained_rows(constraints))
    needed = _PAIRS_A_CLUSTER * n_told_apart
    # A pair that is wrong with probability r counts (1 - 2 r)^2 as much as a sure one.
    clarity = (1 - 2 * wrong) ** 2
    # Picked pairs show less of the sizes.
    shown = clarity * min(n_cannot, placing) / (1 + picked)
    n_useful = clarity * min(n_pairs, placing)
    scarcity = min(1.0, (needed / n_useful) ** 2)
    # A pair has two samples.
    placed = clarity * min(2 * n_pairs, placing) / (n_told_apart * len(constraints))
    return Evidence(
        scarcity=scarcity,
        placed=_ramp(placed, _PARTLY_PLACED, 1),
        picked=picked,
        lead=_LONGEST_LEAD * (1 - led),
        unevenness=unevenness,
        size_freedom=max(unevenness, 1 - min(1.0, needed / shown) ** 2),
    )


def _ramp(value, low, high):
    """Return where a value stands between two others, 0 to 1."""
    return float(np.clip((value - low) / (high - low), 0, 1))


def _find_randomness(constraints):
    """Return the certainty that the listed pairs were drawn at random, 0 to 1.

    Whoever chooses pairs comes back to the same samples, such as the members of groups
    that are known already. Labels of samples are no pairs that somebody chose.
    """
    pairs = np.concatenate([constraints._must_link, constraints._cannot_link])
    if not len(pairs):
        return 1.0
    n_samples = len(constraints)
    n_expected = n_samples * -math.expm1(-2 * len(pairs) / n_samples)
    n_touched = len(np.unique(pairs))
    return _ramp(n_touched / n_expected, _SURELY_CHOSEN, _PERHAPS_DRAWN)


def _must_link_excess(share, n_pairs, n_clusters):
    """Return how much more frequent must-links are than among equal clusters.

    Two standard errors are subtracted, so that chance does not count as evidence.
    """
    if share > _MOST_MUST_LINKS:
        return 1.0
    return n_clusters * (share - 2 * math.sqrt(share * (1 - share) / n_pairs))
