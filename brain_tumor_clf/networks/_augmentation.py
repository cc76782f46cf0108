"""Augmentation layers from a handful of numbers."""

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.networks._checks import check_fraction
from brain_tumor_clf.networks._random_affine import RandomAffine
from brain_tumor_clf.networks._random_blur import RandomBlur
from brain_tumor_clf.networks._random_cutout import RandomCutout
from brain_tumor_clf.networks._random_intensity import RandomIntensity

_SCALING = ("image_scaling", "rescaling")  # the first layer behind the augmentation
_INDIVIDUAL = ("name", "seed")
_FLIPS = (None, "horizontal", "vertical", "both")


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
    """Layers that change images at random, in training alone.

    Every image of a batch draws its own numbers. Images go in and come out as 0..255.
    What is left at its default is not done and costs nothing.

    Parameters
    ----------
    flip : {None, "horizontal", "vertical", "both"}, default=None
        Mirror every second image left-right, upside down, or each of the two.
    rotation : float, default=0.0
        Largest angle to either side, in degrees (0 to 180).
    translation : float or (float, float), default=0.0
        Largest shift to either side, as a share (0 to 1) of height and width.
    zoom : float, default=0.0
        Largest change of size, as a share (0 to 1): 0.1 draws from 0.9 to 1.1.
    brightness : float or (float, float), optional
        Factor of the values: a range, or a share `s` for ``(1 - s, 1 + s)``. The
        notebooks this package grew from have ``(0.6, 1.4)``.
    contrast : float or (float, float), optional
        Factor of the values' distance from the image's mean, likewise.
    gamma : float or (float, float), optional
        Exponent of the values as shares of 255, likewise.
    blur : float, default=0.0
        Largest share of a 3x3 binomial blur mixed in (0 to 1).
    noise : float, default=0.0
        Largest standard deviation of normal noise, in grey levels.
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
    translation = _check_translation(translation)
    zoom = check_fraction("zoom", zoom)
    ranges = {
        "brightness": _check_factors("brightness", brightness),
        "contrast": _check_factors("contrast", contrast),
        "gamma": _check_factors("gamma", gamma),
    }
    _check_range("blur", blur, 1)
    _check_range("noise", noise, 255)
    _check_range("cutout", cutout, 1)

    layers = []
    if flip or rotation or zoom or any(translation):
        layers.append((RandomAffine, (flip, rotation, translation, zoom)))
    if blur:
        layers.append((RandomBlur, (blur,)))
    if noise or any(value is not None for value in ranges.values()):
        layers.append((RandomIntensity, (*ranges.values(), noise)))
    if cutout:
        layers.append((RandomCutout, (cutout,)))
    # A seed of its own for each, or they would all draw the same numbers.
    return [
        layer(*args, seed=None if seed is None else int(seed) + i, name=_name(layer))
        for i, (layer, args) in enumerate(layers)
    ]


def split_at_scaling(network):
    """The augmentation layers of a network, and what it learns with.

    Parameters
    ----------
    network : keras.Model
        From a function of this package: its input, augmentation, the layer that scales
        grey levels, and the rest.

    Returns
    -------
    augmentation, rest : list of keras.Layer
    """
    names = [layer.name for layer in network.layers]
    at = next(i for i, name in enumerate(names) if name in _SCALING)
    return network.layers[1:at], network.layers[at:]


def same_augmentation(layers, others):
    """Whether two lists of layers differ in nothing but names and seeds."""

    def describe(layer):
        config = layer.get_config()
        return type(layer), {k: v for k, v in config.items() if k not in _INDIVIDUAL}

    return [describe(layer) for layer in layers] == [describe(each) for each in others]


def _name(layer):
    """A fixed name, as Keras would make it, so that configs don't count upward."""
    return "random_" + layer.__name__.removeprefix("Random").lower()


def _check_range(name, value, high):
    try:
        valid = 0 <= value <= high
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(f"{name} must be from 0 to {high}, got {value!r}.")


def _check_translation(value):
    pair = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(pair) != 2:
        raise ValueError(
            "translation must be one share, or one of the height and one of the "
            f"width, got {value!r}."
        )
    return tuple(check_fraction("translation", share) for share in pair)


def _check_factors(name, value):
    """A range of factors; None for the range that changes nothing."""
    if value is None or (not isinstance(value, list | tuple) and value == 0):
        return None
    if isinstance(value, list | tuple):
        pair = tuple(value)
    else:
        share = check_fraction(name, value)
        pair = (1 - share, 1 + share)
    try:
        low, high = map(float, pair)
        valid = 0 <= low <= high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            f"{name} must be a share s for (1 - s, 1 + s), or a range (low, high) with "
            f"0 <= low <= high, got {value!r}."
        )
    return None if low == high == 1 else (low, high)
