"""Images of a class changed alike."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skpairclust.neural._class_augmentation import (
    augment_classes,
    draw_partners,
    overlay,
    turn_together,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("sides", "turns"), [((7, 7), 4), ((7, 9), 2)])
def test_groups_turn_together(sides, turns):
    x = torch.rand(1, 2, *sides).expand(300, 2, *sides)
    groups = torch.arange(300) // 3
    turned = turn_together(x, groups, generator()).reshape(100, 3, -1)
    assert (turned == turned[:, :1]).all()
    found = {tuple(one.tolist()) for one in turned[:, 0]}
    step = 4 // turns
    expected = [torch.rot90(x[0], k, (1, 2)) for k in range(0, 4, step)]
    assert found == {tuple(one.flatten().tolist()) for one in expected}


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(0, 99))
def test_a_whole_group_is_laid_over_another(values, seed):
    groups = np.unique(values, return_inverse=True)[1]
    partners = draw_partners(groups, np.random.RandomState(seed))
    n_groups = groups.max() + 1
    laid_over = {}
    for group in range(n_groups):
        (other,) = np.unique(groups[partners[groups == group]])
        if other == group:
            assert np.array_equal(
                partners[groups == group], np.flatnonzero(groups == group)
            )
        else:
            laid_over[group] = other
    assert n_groups > 2 or not laid_over
    # No two groups of a batch look the same: {a, b} twice, or of three the same pair.
    shown = [frozenset(pair) for pair in laid_over.items()]
    assert len(set(shown)) == len(shown)


def test_samples_of_one_group_show_different_samples_of_the_other():
    groups = np.repeat(np.arange(30), 4)
    partners = draw_partners(groups, np.random.RandomState(0))
    assert len(np.unique(partners[groups[partners] != groups])) > 40
    is_laid = (groups[partners] != groups).reshape(30, 4)
    assert (is_laid == is_laid[:, :1]).all()
    assert 8 < is_laid[:, 0].sum() < 22


@pytest.mark.parametrize("background", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("n_channels", [None, 1, 3])
def test_strokes_of_both_images_show(background, n_channels):
    sides = (9, 9) if n_channels is None else (n_channels, 9, 9)
    x = torch.full((3, *sides), background)
    ink = 0.6
    x[0, ..., 2, 2:7] = ink
    x[1, ..., 2:7, 4] = ink
    shown = overlay(x, torch.tensor([1, 1, 2]))
    expected = x[0].clone()
    expected[..., 2:7, 4] = ink
    torch.testing.assert_close(shown[0], expected)
    torch.testing.assert_close(shown[1:], x[1:])


def test_what_differs_more_from_the_background_covers_the_other():
    x = torch.zeros(2, 9, 9)
    x[0, 4, 4], x[1, 4, 4] = 0.5, -0.8
    assert overlay(x, torch.tensor([1, 0]))[:, 4, 4].tolist() == pytest.approx(
        [-0.8] * 2
    )


def test_groups_keep_their_kind_of_change():
    # Of each group all images are equal, so that equal changes leave equal images.
    x = torch.rand(20, 8, 8, generator=generator()).repeat_interleave(3, dim=0)
    groups = np.repeat(np.arange(20), 3)
    changed = augment_classes(x, groups, np.random.RandomState(0), generator())
    changed = changed.reshape(20, 3, 64)
    assert (changed == changed[:, :1]).all()
    # Turned or covered, none looks like another.
    assert len(torch.unique(changed[:, 0], dim=0)) == 20
    again = augment_classes(x, groups, np.random.RandomState(0), generator())
    assert torch.equal(again.reshape(20, 3, 64), changed)
