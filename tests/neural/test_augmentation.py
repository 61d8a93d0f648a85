"""Random changes of training samples."""

import pytest
import torch

from skpairclust.neural._augmentation import affine, elastic, make_augmentation


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


both = pytest.mark.parametrize("change", [affine, elastic])


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


@both
def test_the_generator_decides(change):
    x = torch.rand(4, 16, 16)
    first = change(x, generator(1))
    assert torch.equal(first, change(x, generator(1)))
    assert not torch.equal(first, change(x, generator(2)))


@both
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
