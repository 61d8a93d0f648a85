"""Random changes of training samples."""

import pytest
import torch
from torch.nn import functional

from skpairclust.neural._augmentation import (
    _N_KNOTS,
    _weigh_knots,
    affine,
    choose_augmentation,
    crop,
    elastic,
    make_augmentation,
    mirror,
    shift,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


both = pytest.mark.parametrize("change", [affine, elastic])
moving = pytest.mark.parametrize("change", [affine, crop, elastic, shift])
every = pytest.mark.parametrize("change", [affine, crop, elastic, mirror, shift])


@both
@pytest.mark.parametrize("shape", [(12, 20), (1, 12, 20), (3, 12, 20)])
def test_images_keep_shape_range_and_background(shape, change):
    x = torch.zeros(50, *shape)
    x[..., 5:8, 8:12] = 1
    moved = change(x, generator())
    assert moved.shape == x.shape
    assert moved.min() >= 0 and moved.max() <= 1
    assert (moved - x).abs().amax(dim=tuple(range(1, x.ndim))).min() > 0.1
    torch.testing.assert_close(change(torch.full_like(x, 3), generator()), x * 0 + 3)
    # what was there is still there
    mass = moved.flatten(1).sum(1) / x.flatten(1).sum(1)
    assert 0.4 < mass.min() and mass.max() < 2.5


@every
def test_the_generator_decides(change):
    x = torch.rand(4, 16, 16)
    first = change(x, generator(1))
    assert torch.equal(first, change(x, generator(1)))
    assert not torch.equal(first, change(x, generator(2)))


@every
def test_channels_move_together(change):
    x = torch.rand(6, 1, 16, 16).expand(6, 3, 16, 16)
    moved = change(x, generator())
    assert torch.equal(moved[:, 0], moved[:, 2])


def test_names():
    assert make_augmentation(None, (5,)) is None
    assert make_augmentation(affine, (5,)) is affine
    for name, change in (("affine", affine), ("elastic", elastic)):
        assert make_augmentation(name, (8, 8)) is change
        with pytest.raises(ValueError, match=f"augment='{name}' needs images"):
            make_augmentation(name, (5,))


def test_elastic_bends_lines():
    """An affine change keeps a ramp of gray values straight."""
    x = torch.linspace(0, 1, 32).expand(20, 32, 32)
    inner = slice(12, 20)

    def curvature(moved):
        part = moved[:, inner, inner]
        return (part[:, 2:] - 2 * part[:, 1:-1] + part[:, :-2]).abs().amax((1, 2))

    assert curvature(affine(x, generator())).median() < 1e-4
    assert curvature(elastic(x, generator())).median() > 1e-3


@moving
def test_a_single_color_stays(change):
    x = torch.full((9, 10, 14), 3.0)
    torch.testing.assert_close(change(x, generator()), x)


def test_a_shift_moves_by_less_than_a_twentieth():
    x = torch.zeros(300, 1, 40, 40)
    x[:, :, 20:22, 20:22] = 1
    moved = shift(x, generator())
    torch.testing.assert_close(
        moved.sum((1, 2, 3)), x.sum((1, 2, 3)), atol=1e-4, rtol=0
    )
    place = torch.arange(40.0) + 0.5
    offset = (moved[:, 0].sum(1) @ place) / 4 - 21
    assert offset.abs().max() <= 2
    assert offset.min() < -1.8 and offset.max() > 1.8


def test_a_crop_is_a_window_of_the_image():
    ramp = torch.linspace(0, 1, 40).expand(300, 40, 40)
    cut = crop(ramp, generator())
    # the gray values run on evenly, and over .7 to 1 of what they ran over
    step = cut.diff(dim=2)[:, 5:35, 5:35] * 39
    torch.testing.assert_close(step.amin((1, 2)), step.amax((1, 2)), atol=1e-4, rtol=0)
    assert step.min() >= 0.7 - 1e-4 and step.max() <= 1 + 1e-4
    assert step.min() < 0.72 and step.max() > 0.98
    assert cut.min() >= 0 and cut.max() <= 1


def test_half_of_the_images_are_mirrored():
    x = torch.rand(400, 2, 5, 6)
    changed = mirror(x, generator())
    is_kept = (changed == x).flatten(1).all(1)
    assert torch.equal(changed[~is_kept], x[~is_kept].flip(-1))
    assert 150 < is_kept.sum() < 250


def test_several_changes_follow_one_another():
    x = torch.rand(20, 12, 12)
    change = make_augmentation(("mirror", "shift"), (12, 12))
    draws = generator()
    assert torch.equal(change(x, generator()), shift(mirror(x, draws), draws))


def test_channels_at_the_end_are_found():
    x = torch.rand(8, 3, 12, 14)
    last = make_augmentation("affine", (12, 14, 3))(x.movedim(1, -1), generator())
    torch.testing.assert_close(last.movedim(-1, 1), affine(x, generator()))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((28, 28), "elastic"),
        ((1, 28, 28), "elastic"),
        ((28, 28, 1), "elastic"),
        ((3, 28, 28), "affine"),
        ((7, 28, 28), "affine"),
        ((784,), None),
        ((3, 4, 28, 28), None),
        ((5, 28), None),
    ],
)
def test_what_auto_stands_for(shape, expected):
    assert choose_augmentation("auto", shape) == expected
    for other in ("shift", ("crop", "mirror"), None, affine):
        assert choose_augmentation(other, shape) == other


@pytest.mark.parametrize("shape", [(28, 28), (5, 17), (1, 3), (4, 4)])
def test_knots_are_interpolated_as_torch_would(shape):
    x = torch.randn(6, 2, _N_KNOTS, _N_KNOTS, generator=generator())
    height, width = (_weigh_knots(side, x) for side in shape)
    expected = functional.interpolate(x, shape, mode="bicubic", align_corners=False)
    torch.testing.assert_close(height @ x @ width.T, expected)
