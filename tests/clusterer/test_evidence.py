"""What the numbers of pairs decide before training."""

import numpy as np
import pytest

from skpairclust import PairwiseConstraints
from skpairclust.clusterer._evidence import Evidence, weigh_evidence


def random_pairs(sizes, n_pairs, seed=0, **options):
    """Return pairs drawn from classes of these sizes."""
    y = np.repeat(np.arange(len(sizes)), sizes)
    return PairwiseConstraints.sample_from_labels(
        y, n_pairs, random_state=seed, **options
    )


EQUAL = [3000] * 10


def test_scarcity_falls_with_the_number_of_pairs():
    scarcity = [
        weigh_evidence(random_pairs(EQUAL, n), 10).scarcity
        for n in (20, 1000, 2000, 5000)
    ]
    assert scarcity == pytest.approx([1, 1, 0.25, 0.04])


def test_smoothness_ends_where_pairs_place_all_samples():
    def radius(n_pairs, **options):
        constraints = random_pairs([45] * 11, n_pairs)
        return weigh_evidence(constraints, 11, **options).adversarial_radius

    # Up to a quarter of 11 * 495 / 2 pairs.
    assert radius(680) == 0.5
    scarcity = (1100 / 2000) ** 2
    placed = (4000 / 5445 - 0.25) / 0.75
    assert radius(2000) == pytest.approx(0.25 * (1 + scarcity) * (1 - placed))
    assert radius(2000, noise_rate=0.2) > radius(2000)
    assert weigh_evidence(PairwiseConstraints.from_labels([0, 1] * 90), 2).placed == 1
    rows = np.arange(1800)
    few_labels = np.where(rows % 10, -1, rows // 10 % 3)
    assert weigh_evidence(PairwiseConstraints.from_labels(few_labels), 3).placed == 0


def test_settings_go_from_those_of_few_pairs_to_those_of_many():
    few, many = Evidence(scarcity=1.0), Evidence(scarcity=0.0)
    assert (few.pair_weight, many.pair_weight) == (1, 3)
    assert (few.adversarial_radius, many.adversarial_radius) == (0.5, 0.25)


@pytest.mark.parametrize("kinds", ["none", "must", "cannot"])
def test_one_kind_of_pairs_frees_no_sizes(kinds):
    pairs = np.arange(4000).reshape(-1, 2)
    links = {"must": (pairs, None), "cannot": (None, pairs), "none": (None, None)}
    constraints = PairwiseConstraints(*links[kinds], n_samples=4000)
    evidence = weigh_evidence(constraints, 10)
    assert (evidence.scarcity, evidence.size_freedom) == (1, 0)
    assert evidence.pair_weight == 1
    assert evidence.lead == (0 if kinds == "must" else 0.5)


@pytest.mark.parametrize("seed", range(10))
def test_few_random_pairs_of_equal_clusters_free_no_sizes(seed):
    assert weigh_evidence(random_pairs(EQUAL, 60, seed), 10).size_freedom == 0


def test_frequent_must_links_free_the_sizes():
    # Two thirds of the samples in one of thirty classes: .4 of the pairs agree.
    unequal = random_pairs([16_000, *[500] * 29], 300)
    assert weigh_evidence(unequal, 30).size_freedom > 0.5
    # So they do when there are ten clusters, and a hundred are asked for.
    assert weigh_evidence(random_pairs(EQUAL, 1000), 100).size_freedom == 1


def test_unevenness_silences_the_information_term():
    over_set = weigh_evidence(random_pairs(EQUAL, 1000), 100)
    assert over_set.information_weight(100) == 0
    even = weigh_evidence(random_pairs(EQUAL, 1000), 10)
    assert even.information_weight(8) == pytest.approx(0.3)


@pytest.mark.parametrize("noise_rate", [0.0, 0.2, "estimate"])
def test_wrong_pairs_are_not_unequal_clusters(noise_rate):
    flipped = random_pairs(EQUAL, 2000, noise=0.2)
    assert weigh_evidence(flipped, 10, noise_rate=noise_rate).unevenness == 0


def test_wrong_pairs_say_less():
    pairs = random_pairs(EQUAL, 2000)
    sure, doubtful = (weigh_evidence(pairs, 10, noise_rate=r) for r in (0.0, 0.2))
    assert doubtful.scarcity > sure.scarcity


def test_picked_pairs_do_not_lead():
    drawn = weigh_evidence(random_pairs(EQUAL, 5000), 10)
    assert (drawn.lead, drawn.pair_weight) == (0.5, pytest.approx(2.92))
    picked = weigh_evidence(random_pairs(EQUAL, 5000, balanced=True), 10)
    assert (picked.lead, picked.pair_weight) == (0, 1)
    # Half of the random pairs of two clusters are must-links.
    assert weigh_evidence(random_pairs([3000] * 2, 500), 2).lead == 0.5


@pytest.mark.parametrize("noise_rate", [0.0, 0.2])
def test_wrong_must_links_do_not_lead(noise_rate):
    evidence = weigh_evidence(
        random_pairs(EQUAL, 5000, noise=0.2), 10, noise_rate=noise_rate
    )
    assert evidence.lead == 0
    # Whoever is told of them does not take them for picked.
    assert evidence.picked == (0 if noise_rate else 1)


def test_picked_pairs_say_nothing_of_sizes():
    picked = random_pairs(EQUAL, 2100, balanced=True)
    assert weigh_evidence(picked, 10).size_freedom == 0
    assert weigh_evidence(random_pairs(EQUAL, 2100), 10).size_freedom > 0.5


def test_a_closure_says_as_much_as_its_pairs():
    for pairs in (random_pairs(EQUAL, 1000), random_pairs([16_000, *[500] * 29], 300)):
        given, closed = (weigh_evidence(k, 10) for k in (pairs, pairs.closure()))
        for name in ("scarcity", "picked", "lead", "unevenness", "size_freedom"):
            found, expected = getattr(closed, name), getattr(given, name)
            assert found == pytest.approx(expected, abs=0.05), name


def test_closures_that_overlap_count_once():
    pairs = [random_pairs([70] * 3, 600, seed) for seed in (0, 1)]
    one, other = (known.closure() for known in pairs)
    assert weigh_evidence(one | one, 3) == weigh_evidence(one, 3)
    both = weigh_evidence(one | other, 3)
    assert 0 < both.scarcity < weigh_evidence(one, 3).scarcity


def test_labels_of_few_samples_are_not_many_pairs():
    y = np.full(5000, -1)
    y[:200] = np.arange(200) % 10
    labels = PairwiseConstraints.from_labels(y)
    assert labels.n_pairs == 19_900
    assert weigh_evidence(labels, 10).scarcity == pytest.approx(0.25)


def test_an_upper_bound_frees_the_sizes():
    pairs = random_pairs(EQUAL, 60)
    assert weigh_evidence(pairs, 12, is_bound=True).size_freedom == 1


def test_pairs_that_somebody_chose_say_nothing_about_sizes():
    """Each sample is compared with members of groups that are known already."""
    y = np.random.RandomState(0).randint(40, size=8000)
    asked, groups, must_link, cannot_link = range(400), {}, [], []
    for row in asked:
        for label, member in list(groups.items())[-3:]:
            if label != y[row]:
                cannot_link.append((member, row))
        if y[row] in groups:
            must_link.append((groups[y[row]], row))
        groups[y[row]] = row
    chosen = PairwiseConstraints(must_link, cannot_link, n_samples=8000)
    assert chosen.n_must_link > 7 / 40 * chosen.n_pairs
    for known in (chosen, chosen.closure()):
        evidence = weigh_evidence(known, 40)
        assert evidence.unevenness == 0
        assert (evidence.picked, evidence.size_freedom) == (1, 0)
    # As many random pairs of unequal classes do.
    unequal = random_pairs([4400, *[92] * 39], chosen.n_pairs)
    for known in (unequal, unequal.closure()):
        assert weigh_evidence(known, 40).unevenness == 1
