"""What is an image, on which side its channels are, and which network fits it."""

from skpairclust.utils._param_validation import has_channels_last, resolve_input_shape

# Side from which on an image has places enough for convolutions.
_LEAST_SIDE = 8


def choose_network(network, input_shape, sample_shape):
    """Return what the parameter `network` stands for, and the shape that it takes.

    Parameters
    ----------
    network : {"auto", "mlp", "lenet", "conv"} or callable
        "auto" is "conv" for images of at least 8 x 8, and "mlp" for all else.
    input_shape : tuple of int or None
        The parameter of the estimator.
    sample_shape : tuple of int
        ``X.shape[1:]``.

    Returns
    -------
    network : str or callable
    input_shape : tuple of int
    channels_last : bool
        Whether the channels of samples have to move to the front.

    Raises
    ------
    ValueError
        If `input_shape` does not fit the samples, or if nothing tells on which side
        of an image its channels are.
    """
    built_in = isinstance(network, str)
    shape, moves = resolve_input_shape(input_shape, sample_shape, built_in=built_in)
    if not built_in or network == "mlp":
        return network, shape, moves
    if len(shape) == 3 and not moves and input_shape is None:
        shape, moves = _place_channels(network, shape)
    if network == "auto":
        network = "conv" if is_image(shape) else "mlp"
    return network, shape, moves


def is_image(shape):
    """Whether samples of this shape are images that convolutions can look at.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)``, ``(channels, height, width)``, or with up to four channels
        last.
    """
    sides = shape[:2] if has_channels_last(shape) else shape[-2:]
    return len(shape) in (2, 3) and min(sides) >= _LEAST_SIDE


def count_channels(input_shape):
    """Return how many channels images of this shape have."""
    if len(input_shape) == 2:
        return 1
    return input_shape[-1] if has_channels_last(input_shape) else input_shape[0]


def _place_channels(network, shape):
    """Return a shape of three lengths with channels first, and whether they move.

    Channels are fewer than the pixels of a side; or more, where two sides are equal.
    """
    first, middle, last = shape
    is_small = sorted(shape)[1] < _LEAST_SIDE
    if is_small or first < min(middle, last) or middle == last != first:
        return shape, False
    if last < min(first, middle) or first == middle != last:
        return (last, first, middle), True
    if network != "auto":
        return shape, False
    raise ValueError(
        f"X has samples of shape {shape}, which may be images with their channels "
        "first or last: pass input_shape=(channels, height, width) to say what they "
        "are, or network='mlp' if they are no images."
    )
