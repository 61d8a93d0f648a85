"""Which pairs a clustering violates, and why two samples belong together or apart."""

import pickle
from collections import deque
from html.parser import HTMLParser
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpairclust import PairwiseConstraints
from skpairclust.metrics import count_respected
from tests.constraints.oracles import as_dicts, constraints

CHAIN = PairwiseConstraints([(0, 1), (1, 2)], [(2, 3)], n_samples=5)
NAMES = ["ann", "bob", "cleo", "dan", "eve"]

# Violated pairs


@given(constraints(), st.data())
def test_violated_pairs(known, data):
    n = known.n_samples
    labels = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    must, cannot = as_dicts(known)
    expected = (
        {(i, j): w for (i, j), w in must.items() if labels[i] != labels[j]},
        {(i, j): w for (i, j), w in cannot.items() if labels[i] == labels[j]},
    )
    assert as_dicts(known.violated(labels)) == expected


def test_violated_pairs_are_those_that_the_score_misses():
    rng = np.random.default_rng(0)
    known = PairwiseConstraints.sample_from_labels(
        rng.integers(3, size=50), 200, random_state=0
    )
    labels = rng.integers(3, size=50)
    kept, total = count_respected(known, labels)
    violated = known.violated(labels)
    assert [violated.n_must_link, violated.n_cannot_link] == (total - kept).tolist()


@pytest.mark.parametrize("make", [list, np.array, pd.Series, pd.Categorical])
def test_clusters_may_be_names(make):
    violated = CHAIN.violated(make(["a", "a", "b", "b", "c"]))
    assert violated == PairwiseConstraints([(1, 2)], [(2, 3)], n_samples=5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], "labels has 2 entries.* about 5 samples"),
        ([0, 0, np.nan, 0, 1], r"got none for the samples 2\. .*labels\[rows\]"),
        (np.zeros((5, 2)), "one-dimensional"),
    ],
)
def test_wrong_clusters(labels, message):
    with pytest.raises(ValueError, match=message):
        CHAIN.violated(labels)


# Explanations


def naive_distances(must, n_samples, source):
    """Return how many must-links away each sample is."""
    distance, queue = {source: 0}, deque([source])
    while queue:
        at = queue.popleft()
        for pair in must:
            if at in pair:
                other = sum(pair) - at
                if other not in distance:
                    distance[other] = distance[at] + 1
                    queue.append(other)
    return [distance.get(sample, np.inf) for sample in range(n_samples)]


@given(constraints(), st.data())
def test_chains_are_valid_and_shortest(known, data):
    must, cannot = as_dicts(known)
    all_pairs = list(combinations(range(known.n_samples), 2))
    pair = data.draw(st.sampled_from(all_pairs).flatmap(st.permutations))
    found = known.explain(*pair)
    start, end = (naive_distances(must, known.n_samples, sample) for sample in pair)
    lengths = [start[a] + end[b] for p in cannot for a, b in (p, p[::-1])]
    shortest = start[pair[1]], min(lengths, default=np.inf) + 1
    chains = found.must_link_chain, found.cannot_link_chain
    for chain, length in zip(chains, shortest, strict=True):
        if chain is None:
            assert np.isinf(length)
            continue
        assert (chain[0], chain[-1], len(chain)) == (*pair, length + 1)
        for step in zip(chain, chain[1:], strict=False):
            is_cannot = chain is chains[1] and step == found.cannot_link
            assert tuple(sorted(step)) in (cannot if is_cannot else must)
    if found.cannot_link:
        steps = list(zip(chains[1], chains[1][1:], strict=False))
        assert found.cannot_link in steps


@given(constraints(), st.data())
def test_verdicts_are_those_of_the_closure(known, data):
    all_pairs = list(combinations(range(known.n_samples), 2))
    pair = data.draw(st.sampled_from(all_pairs))
    verdict = known.explain(*pair).verdict
    if known.conflicts():
        same = np.equal(*known.components()[list(pair)])
        assert (verdict in ("same", "contradiction")) == same
        return
    must, cannot = as_dicts(known.closure())
    assert verdict == (
        "same" if pair in must else "different" if pair in cannot else "unknown"
    )


def test_ids_go_in_and_come_out():
    found = CHAIN.explain("ann", "dan", index=NAMES)
    assert found.pair == ("ann", "dan")
    assert found.cannot_link_chain == ("ann", "bob", "cleo", "dan")
    assert found.cannot_link == ("cleo", "dan")
    assert repr(found) == (
        "'ann' and 'dan' do not belong together: 'ann' = 'bob' = 'cleo' != 'dan'"
    )
    assert pickle.loads(pickle.dumps(found)) == found


def test_sentences():
    assert repr(CHAIN.explain(2, 0)) == "2 and 0 belong together: 2 = 1 = 0"
    assert repr(CHAIN.explain(0, 4)) == "0 and 4: no chain of pairs tells"
    known = PairwiseConstraints([(0, 1), (1, 2)], [(0, 2)], n_samples=3)
    assert repr(known.explain(0, 2)) == (
        "0 and 2: pairs contradict each other: 0 = 1 = 2, but 0 != 2"
    )


def test_groups_are_never_listed():
    labels = np.arange(200_000) % 3
    known = PairwiseConstraints.from_labels(labels)
    assert known.explain(0, 3).must_link_chain == (0, 3)
    assert known.explain(0, 4).cannot_link == (0, 4)


@pytest.mark.parametrize(
    ("pair", "index", "error", "message"),
    [
        ((0, 0), None, ValueError, "same sample: 0"),
        ((0, 5), None, ValueError, "position 5 is out of range for 5 samples"),
        ((0, -1), None, ValueError, "position -1 is out of range"),
        (("ann", "bob"), None, TypeError, "got 'ann'.*index="),
        ((True, 1), None, TypeError, "got True"),
        (("ann", "joe"), NAMES, ValueError, "1 ids that are not in index: 'joe'"),
        (("ann", "bob"), NAMES[:2], ValueError, "index has 2 ids"),
    ],
)
def test_wrong_samples(pair, index, error, message):
    with pytest.raises(error, match=message):
        CHAIN.explain(*pair, index=index)


# Notebooks


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@given(constraints())
def test_html_says_the_counts(known):
    parser = _Cells()
    parser.feed(known._repr_html_())
    assert parser.open == []
    cells = dict(zip(parser.texts[1::2], map(int, parser.texts[2::2]), strict=True))
    touched = {sample for pairs in as_dicts(known) for pair in pairs for sample in pair}
    sizes = np.bincount(known.components())
    assert cells == {
        "samples": known.n_samples,
        "of which in pairs": len(touched),
        "must-links": known.n_must_link,
        "cannot-links": known.n_cannot_link,
        "groups joined by must-links": (sizes > 1).sum(),
        "samples of the largest group": sizes.max(),
    }


def test_html_of_many_and_of_none():
    assert (
        "1,799,970,000"
        in PairwiseConstraints.from_labels(np.zeros(60_000, dtype=int))._repr_html_()
    )
    assert "<td>0</td>" in PairwiseConstraints(n_samples=0)._repr_html_()
