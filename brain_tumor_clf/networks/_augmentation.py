"""Augmentation layers from a few numbers."""

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.networks._artifacts import (
    RandomEdges,
    RandomSkullStripping,
    RandomText,
)
from brain_tumor_clf.networks._checks import check_fraction, check_range
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
    aspect=0.0,
    shear=0.0,
    edges=0.0,
    skull_stripping=0.0,
    brightness=None,
    contrast=None,
    gamma=None,
    blur=0.0,
    noise=0.0,
    cutout=0.0,
    text=0.0,
    seed=None,
):
    """Make layers that change images at random, in training only.

    Every image of a batch draws its own numbers. Images go in and come out with values
    0..255. A change that is left at its default costs nothing.

    Parameters
    ----------
    flip, rotation, translation, zoom, aspect, shear, edges, skull_stripping
    brightness, contrast, gamma, blur, noise, cutout, text
        As of `brain_tumor_clf.Augmentation`, each with a default that changes nothing.
    seed : int, optional
        Seed of the layers' random states; None draws from Python's `random`.

    Returns
    -------
    list of keras.Layer
        At most one of each: :class:`RandomAffine`, :class:`RandomEdges`,
        :class:`RandomSkullStripping`, :class:`RandomBlur`, :class:`RandomIntensity`,
        :class:`RandomCutout`, :class:`RandomText`. A layer belongs to one network:
        call again for the next.

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
    check_range("rotation", rotation, 180)
    check_range("noise", noise, 255)
    shares = {"edges": edges, "skull_stripping": skull_stripping, "text": text}
    for name, share in (shares | {"blur": blur, "cutout": cutout}).items():
        check_range(name, share, 1)
    translation = _check_translation(translation)
    zoom = check_fraction("zoom", zoom)
    aspect = check_fraction("aspect", aspect)
    shear = check_fraction("shear", shear)
    ranges = [
        _check_factors("brightness", brightness),
        _check_factors("contrast", contrast),
        _check_factors("gamma", gamma),
    ]
    moves = (flip, rotation, translation, zoom, aspect, shear)
    steps = (
        (RandomAffine, any((flip, rotation, *translation, zoom, aspect, shear)), moves),
        (RandomEdges, edges, (edges,)),
        (RandomSkullStripping, skull_stripping, (skull_stripping,)),
        (RandomBlur, blur, (blur,)),
        (RandomIntensity, noise or any(ranges), (*ranges, noise)),
        (RandomCutout, cutout, (cutout,)),
        (RandomText, text, (text,)),
    )
    layers = [(layer, args) for layer, is_asked, args in steps if is_asked]
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
    """
    names = [layer.name for layer in network.layers]
    at = next(i for i, name in enumerate(names) if name in _SCALING)
    return network.layers[1:at], network.layers[at:]


def same_augmentation(layers, others):
    """Tell whether two lists of layers differ in nothing but names and seeds."""

    def describe(layer):
        config = layer.get_config()
        return type(layer), {k: config[k] for k in config.keys() - {"name", "seed"}}

    return [describe(layer) for layer in layers] == [describe(each) for each in others]


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
