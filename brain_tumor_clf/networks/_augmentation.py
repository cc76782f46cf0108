"""Augmentation layers from a few numbers."""

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.networks._checks import check_fraction
from brain_tumor_clf.networks._layers import (
    RandomBlur,
    RandomCutout,
    RandomIntensity,
)
from brain_tumor_clf.networks._random_affine import RandomAffine

_FLIPS = (None, "horizontal", "vertical", "both")
_SCALING = ("image_scaling", "rescaling")  # the layer that follows the augmentation


def augmentation_layers(
    *,
    flip=None,
    rotation=0.0,
    translation=0.0,
    zoom=0.0,
    brightness=None,
    contrast=None,
    gamma=None,
    blur=0.0,
    noise=0.0,
    cutout=0.0,
    seed=None,
):
    """Make layers that change images at random, in training only.

    Every image of a batch draws its own numbers. Images go in and come out with values
    0..255. A change that is left at its default costs nothing.

    Parameters
    ----------
    flip : {None, "horizontal", "vertical", "both"}, default=None
        Flip every second image left-right, upside down, or each of the two.
    rotation : float, default=0.0
        Largest angle to either side, in degrees (0 to 180).
    translation : float or (float, float), default=0.0
        Largest shift to either side, as a share (0 to 1) of height and width.
    zoom : float, default=0.0
        Largest change of size, as a share (0 to 1): 0.1 draws from 0.9 to 1.1.
    brightness : float or (float, float), optional
        Factor of the values: a range, or a share `s` for ``(1 - s, 1 + s)``.
    contrast : float or (float, float), optional
        Factor of the values' distance from the image's mean, likewise.
    gamma : float or (float, float), optional
        Exponent of the values as shares of 255, likewise.
    blur : float, default=0.0
        Largest share of a 3x3 binomial blur mixed in (0 to 1).
    noise : float, default=0.0
        Largest standard deviation of normal noise, in gray levels.
    cutout : float, default=0.0
        Side of a blacked-out square, as a share (0 to 1) of height and width.
    seed : int, optional
        Seed of the layers' random states; None draws from Python's `random`.

    Returns
    -------
    list of keras.Layer
        At most four layers: :class:`RandomAffine`, :class:`RandomBlur`,
        :class:`RandomIntensity`, :class:`RandomCutout`. A layer belongs to one
        network: call again for the next.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> from brain_tumor_clf.networks import augmentation_layers
    >>> layers = augmentation_layers(flip="horizontal", rotation=10, brightness=0.4)
    >>> [layer.name for layer in layers]
    ['random_affine', 'random_intensity']
    """
    check_choice("flip", flip, _FLIPS)
    _check_range("rotation", rotation, 180)
    _check_range("blur", blur, 1)
    _check_range("noise", noise, 255)
    _check_range("cutout", cutout, 1)
    translation = _check_translation(translation)
    zoom = check_fraction("zoom", zoom)
    ranges = [
        _check_factors("brightness", brightness),
        _check_factors("contrast", contrast),
        _check_factors("gamma", gamma),
    ]
    layers = []
    if flip or rotation or zoom or any(translation):
        layers.append((RandomAffine, (flip, rotation, translation, zoom)))
    if blur:
        layers.append((RandomBlur, (blur,)))
    if noise or any(ranges):
        layers.append((RandomIntensity, (*ranges, noise)))
    if cutout:
        layers.append((RandomCutout, (cutout,)))
    # A seed of its own for each, or they would all draw the same numbers; and a fixed
    # name, as Keras would make it, so that configs don't count upward.
    return [
        layer(
            *args,
            seed=None if seed is None else int(seed) + i,
            name=f"random_{layer.__name__.removeprefix('Random').lower()}",
        )
        for i, (layer, args) in enumerate(layers)
    ]


def split_at_scaling(network):
    """Split the layers of one of this package's networks after the augmentation.

    Returns the augmentation layers, and those that scale the images and learn.

    Examples
    --------
    >>> from brain_tumor_clf.networks import (
    ...     augmentation_layers, simple_cnn, split_at_scaling
    ... )
    >>> layers = augmentation_layers(flip="horizontal")
    >>> network = simple_cnn((16, 16, 1), 4, augmentation=layers)
    >>> augmentation, rest = split_at_scaling(network)
    >>> [layer.name for layer in augmentation], rest[0].name
    (['random_affine'], 'rescaling')
    """
    names = [layer.name for layer in network.layers]
    at = next(i for i, name in enumerate(names) if name in _SCALING)
    return network.layers[1:at], network.layers[at:]


def same_augmentation(layers, others):
    """Tell whether two lists of layers differ in nothing but names and seeds.

    Examples
    --------
    >>> from brain_tumor_clf.networks import augmentation_layers, same_augmentation
    >>> one, two = (augmentation_layers(rotation=5, seed=seed) for seed in (0, 1))
    >>> same_augmentation(one, two)
    True
    """

    def describe(layer):
        config = layer.get_config()
        return type(layer), {k: config[k] for k in config.keys() - {"name", "seed"}}

    return [describe(layer) for layer in layers] == [describe(each) for each in others]


def _check_range(name, value, high):
    """Raise a ValueError unless a number is from 0 to `high`."""
    try:
        valid = 0 <= value <= high
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(f"{name} must be from 0 to {high}, got {value!r}.")


def _check_translation(value):
    """Return the shares of height and width."""
    pair = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(pair) != 2:
        raise ValueError(
            "translation must be one share, or one of the height and one of the "
            f"width, got {value!r}."
        )
    return tuple(check_fraction("translation", share) for share in pair)


def _check_factors(name, value):
    """Return a range of factors; None for one that changes nothing."""
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        share = check_fraction(name, value)
        value = (1 - share, 1 + share)
    try:
        low, high = map(float, value)
        valid = 0 <= low <= high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            f"{name} must be a share s for (1 - s, 1 + s), or a range (low, high) with "
            f"0 <= low <= high, got {value!r}."
        )
    return None if low == high == 1 else (low, high)
