"""Random changes of training samples."""

import pytest
import torch

from skpairclust._augmentation import affine, make_augmentation


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(12, 20), (1, 12, 20), (3, 12, 20)])
def test_images_keep_shape_range_and_background(shape):
    x = torch.zeros(50, *shape)
    x[..., 5:8, 8:12] = 1
    moved = affine(x, generator())
    assert moved.shape == x.shape
    assert moved.min() >= 0 and moved.max() <= 1
    assert (moved - x).abs().amax(dim=tuple(range(1, x.ndim))).min() > 0.1
    torch.testing.assert_close(affine(torch.full_like(x, 3), generator()), x * 0 + 3)
    # what was there is still there
    mass = moved.flatten(1).sum(1) / x.flatten(1).sum(1)
    assert 0.5 < mass.min() and mass.max() < 2


def test_the_generator_decides():
    x = torch.rand(4, 16, 16)
    first = affine(x, generator(1))
    assert torch.equal(first, affine(x, generator(1)))
    assert not torch.equal(first, affine(x, generator(2)))


def test_channels_move_together():
    x = torch.rand(6, 1, 16, 16).expand(6, 3, 16, 16)
    moved = affine(x, generator())
    assert torch.equal(moved[:, 0], moved[:, 2])


def test_names():
    assert make_augmentation(None, (5,)) is None
    assert make_augmentation(affine, (5,)) is affine
    with pytest.raises(ValueError, match="needs images"):
        make_augmentation("affine", (5,))
