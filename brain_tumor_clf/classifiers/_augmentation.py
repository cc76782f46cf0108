"""Random changes of the training images."""

from sklearn.base import BaseEstimator

from brain_tumor_clf import networks
from brain_tumor_clf._validation import check_choice, set_new_parameters


class Augmentation(BaseEstimator):
    """Change training images at random, anew for each image and epoch.

    They are layers of the network that act in training only; predicting sees the
    image as it is.

    Parameters
    ----------
    flip : {None, "horizontal", "vertical", "both"}, default="horizontal"
        Mirror an image left-right, upside down, or each, with probability one half.
    rotation : float, default=10.0
        Largest rotation to either side, in degrees.
    translation : float or (float, float), default=0.05
        Largest shift to either side, as a share of height and width.
    zoom : float, default=0.1
        Largest change of size, as a share.
    aspect : float, default=0.0
        Largest change of the width, as a share; the height changes inversely.
    shear : float, default=0.0
        Largest shift of columns by rows, in pixels for each pixel.
    edges : float, default=0.0
        Share of the images whose edges are blacked out, each by up to 22 % of the side,
        like those of a narrower field of view.
    skull_stripping : float, default=0.0
        Share of the images of which a soft ellipse is kept, as skull stripping leaves
        the brain.
    brightness : float, (float, float) or None, default=0.2
        Factor of the intensities: a range, or a share `s` for ``(1 - s, 1 + s)``.
    contrast : float, (float, float) or None, default=0.2
        Factor of the intensities' distance from the image's mean, likewise.
    gamma : float, (float, float) or None, default=None
        Exponent of the intensities as shares of 255, likewise.
    blur : float, default=0.0
        Largest share of a 3x3 blur mixed in.
    noise : float, default=0.0
        Largest standard deviation of Gaussian noise, in units of intensity.
    cutout : float, default=0.0
        Side of one blacked-out square [1]_, as a share of height and width.
    text : float, default=0.0
        Share of the images with bright specks near the edges, like burned-in text.

    References
    ----------
    .. [1] DeVries and Taylor, "Improved regularization of convolutional neural
       networks with cutout", 2017.

    Examples
    --------
    >>> from brain_tumor_clf import Augmentation, SimpleCNNClassifier
    >>> clf = SimpleCNNClassifier(augmentation=Augmentation(rotation=15))
    >>> clf.get_params()["augmentation__rotation"]
    15
    """

    def __init__(
        self,
        flip="horizontal",
        rotation=10.0,
        translation=0.05,
        zoom=0.1,
        aspect=0.0,
        shear=0.0,
        edges=0.0,
        skull_stripping=0.0,
        brightness=0.2,
        contrast=0.2,
        gamma=None,
        blur=0.0,
        noise=0.0,
        cutout=0.0,
        text=0.0,
    ):
        self.flip = flip
        self.rotation = rotation
        self.translation = translation
        self.zoom = zoom
        self.aspect = aspect
        self.shear = shear
        self.edges = edges
        self.skull_stripping = skull_stripping
        self.brightness = brightness
        self.contrast = contrast
        self.gamma = gamma
        self.blur = blur
        self.noise = noise
        self.cutout = cutout
        self.text = text

    def make_layers(self):
        """Make the Keras layers of this augmentation, new ones at each call.

        Returns
        -------
        list of keras.Layer
        """
        return networks.augmentation_layers(**self.get_params(deep=False))

    def __setstate__(self, state):
        super().__setstate__(state)
        set_new_parameters(self)


NAMED_AUGMENTATIONS = {
    "light": Augmentation(rotation=5.0, zoom=0.05, brightness=0.1, contrast=0.1),
    "strong": Augmentation(
        rotation=15.0,
        translation=0.1,
        zoom=0.2,
        brightness=(0.6, 1.4),
        contrast=0.3,
        gamma=0.3,
        blur=0.5,
        noise=5.0,
        cutout=0.2,
    ),
    # The notebooks' only augmentation was a random brightness.
    "notebook": Augmentation(
        flip=None,
        rotation=0.0,
        translation=0.0,
        zoom=0.0,
        brightness=(0.6, 1.4),
        contrast=None,
    ),
}


def make_augmentation_layers(augmentation):
    """Return layers of a name, an `Augmentation`, a Keras layer, a list, or None."""
    if augmentation is None:
        return []
    if isinstance(augmentation, str):
        check_choice("augmentation", augmentation, NAMED_AUGMENTATIONS)
        return NAMED_AUGMENTATIONS[augmentation].make_layers()
    if hasattr(augmentation, "make_layers"):
        return augmentation.make_layers()
    layers = augmentation if isinstance(augmentation, list | tuple) else [augmentation]
    return [_copy_layer(layer) for layer in layers]


def _copy_layer(layer):
    # A layer belongs to one network: the caller's own is left unbuilt.
    if not (hasattr(layer, "get_config") and hasattr(type(layer), "from_config")):
        raise TypeError(
            "augmentation must be None, 'light', 'strong', 'notebook', an Augmentation "
            f"or Keras layers, got {type(layer).__name__}."
        )
    return type(layer).from_config(layer.get_config())
