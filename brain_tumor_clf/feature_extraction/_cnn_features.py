"""A frozen network as a scikit-learn transformer."""

import hashlib
import json
import os
import threading
from numbers import Integral
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import (
    set_new_parameters,
    stack_images,
    validate_params,
)
from brain_tumor_clf.networks import (
    PACKAGED_MODELS,
    check_network_state,
    feature_extractor,
    get_backbone,
    network_from_state,
    network_to_state,
)
from brain_tumor_clf.preprocessing import ImageCache

_BUILDING = threading.RLock()
_MAX_SEED = 2**31 - 1
_VERSION = 2  # raised when the same parameters give other features; part of a cache key


class CNNFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Turn images into the pooled feature maps of a frozen network.

    Nothing is trained: a linear model or an SVC on these features fits in seconds,
    and is the baseline that a fine-tuned network has to beat.

    Parameters
    ----------
    backbone : str, default="EfficientNetLite0"
        A key of `brain_tumor_clf.networks.BACKBONES`.
    weights : {"imagenet", "brain-mri-multisource"}, path or None, default="imagenet"
        Weights of the backbone. A path names a Keras file (see
        `brain_tumor_clf.networks.transfer_cnn`); None draws them at random.
    pooling : {"avg", "max", "avgmax"}, default="avg"
        How a feature map becomes one vector; "avgmax" gives means, then maxima.
    stages : int or tuple of int, default=-1
        Feature maps to use: -1 is the last one of the network, -2 the last one of twice
        its height and width, and so on; vectors of several maps are concatenated.
        Layers after the last of them are not computed. Finer maps depend less on the
        objects of ImageNet and more on textures: for scans, ``(-3, -2)`` with "avgmax"
        is the better choice.
    batch_size : int, default=32
        Number of images in the network at a time, which bounds the memory.
    cache : path, optional
        Folder that keeps the features of each image by its content, so that a search
        over later steps computes none twice. Nothing is ever removed from it.
    random_state : int, RandomState or None, default=None
        Seed of the weights if `weights` is None.

    Attributes
    ----------
    input_shape_ : (int, int, int)
        Height, width and channels of the images seen in `fit`.
    network_ : keras.Model
        The frozen network, built when first needed.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf import CNNFeatures
    >>> X = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 1), dtype=np.uint8)
    >>> features = CNNFeatures(weights=None, random_state=0).fit_transform(X)
    >>> features.shape, features.dtype
    ((3, 1280), dtype('float32'))
    """

    _parameter_constraints = {
        "backbone": [str],
        "weights": [str, os.PathLike, None],
        "pooling": [StrOptions({"avg", "max", "avgmax"})],
        "stages": [Integral, "array-like"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "cache": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        backbone="EfficientNetLite0",
        *,
        weights="imagenet",
        pooling="avg",
        stages=-1,
        batch_size=32,
        cache=None,
        random_state=None,
    ):
        self.backbone = backbone
        self.weights = weights
        self.pooling = pooling
        self.stages = stages
        self.batch_size = batch_size
        self.cache = cache
        self.random_state = random_state

    def fit(self, X, y=None):
        """Check the parameters and load the network for images of this size.

        Parameters
        ----------
        X : array of shape (n, H, W) or (n, H, W, C)
            Images of one size, values 0..255, gray or RGB.
        y : None
            Ignored.

        Returns
        -------
        self : CNNFeatures

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the images are too small.
        WeightsError
            If the weights cannot be read, or are of another network.
        """
        validate_params(self)
        get_backbone(self.backbone)
        X = _check_images(X)
        self.input_shape_ = tuple(map(int, X.shape[1:]))
        self._seed = int(check_random_state(self.random_state).randint(_MAX_SEED))
        self._network = self._network_state = None
        # With a cache a search may never need the network, and `fit` costs nothing.
        if self.cache is None or self.weights is None:
            self._network = self._build()
        self._weights_id = self._identify_weights()
        return self

    def transform(self, X):
        """Compute the features of every image.

        Parameters
        ----------
        X : array of shape (n, H, W) or (n, H, W, C)
            Images as in `fit`.

        Returns
        -------
        ndarray of shape (n, d), dtype float32
            One row per image.
        """
        check_is_fitted(self)
        X = _check_images(X)
        if X.shape[1:] != self.input_shape_:
            raise ValueError(
                f"X has images of shape {X.shape[1:]}, but {type(self).__name__} was "
                f"fitted on {self.input_shape_}. Put the same ImageResizer before it."
            )
        rows = [None] * len(X)
        if self.cache is not None:
            cache, key = ImageCache(self.cache), self._cache_key()
            rows = [cache.get(image, key) for image in X]
        missing = [i for i, row in enumerate(rows) if row is None]
        for start in range(0, len(missing), int(self.batch_size)):
            batch = missing[start : start + int(self.batch_size)]
            for i, features in zip(batch, self._compute_batch(X[batch]), strict=True):
                rows[i] = features
                # Kept batch by batch, so that an interrupted run goes on from there.
                if self.cache is not None:
                    cache.put(X[i], key, features)
        return np.stack(rows)

    @property
    def network_(self):
        """The frozen network, built when first needed."""
        check_is_fitted(self)
        with _BUILDING:
            if self._network is None:
                if self._network_state is None:
                    self._network = self._build()
                else:
                    self._network = network_from_state(self._network_state)
                    self._network_state = None
            return self._network

    @property
    def _n_features_out(self):
        return self.network_.output_shape[-1]

    def _build(self):
        """Build the network from the parameters."""
        return feature_extractor(
            self.backbone,
            self.input_shape_,
            weights=self.weights,
            pooling=self.pooling,
            stages=self.stages,
            seed=self._seed,
        )

    def _compute_batch(self, batch):
        """Compute features of at most `batch_size` images."""
        n_images = len(batch)
        # Each new batch size is compiled anew: a last, smaller batch is padded to the
        # next power of two, so that there are few sizes.
        n_rows = min(int(self.batch_size), 1 << (n_images - 1).bit_length())
        batch = np.pad(batch, [(0, n_rows - n_images)] + [(0, 0)] * (batch.ndim - 1))
        features = self.network_.predict_on_batch(batch)[:n_images]
        return np.asarray(features, dtype=np.float32)

    def _cache_key(self):
        """Return a string that names all that the features depend on but the image."""
        stages = np.atleast_1d(self.stages).tolist()
        parts = ["CNNFeatures", _VERSION, self.backbone, self.pooling, stages]
        return json.dumps([*parts, self._weights_id])

    def _identify_weights(self):
        """Return a string that changes when the weights do."""
        if self.weights is None:
            return f"random {joblib.hash(network_to_state(self._network)['weights'])}"
        if str(self.weights) == "imagenet":
            return "imagenet"
        if str(self.weights) in PACKAGED_MODELS:
            return f"{self.weights} {PACKAGED_MODELS[str(self.weights)].sha256}"
        if not os.path.isfile(self.weights):
            self._network = self._build()  # which says what is wrong with the path
        content = Path(self.weights).read_bytes()
        return f"file {hashlib.sha256(content).hexdigest()}"

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "_network" in state:
            del state["_network"]
            if state["_network_state"] is None:
                # Built for this, if need be: the weights' file may not exist where it
                # is loaded.
                state["_network_state"] = network_to_state(self.network_)
        return state

    def __setstate__(self, state):
        super().__setstate__({k: v for k, v in state.items() if k != "_network"})
        set_new_parameters(self)
        if "_network_state" in state:
            # Built when first needed, which takes as long as all else of loading.
            check_network_state(self._network_state)
            self._network = None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _check_images(X):
    """Return images of one size as an array (n, H, W, C)."""
    X = stack_images(X, "CNNFeatures")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        raise ValueError("X contains NaN or infinity; images are values 0..255.")
    return X[..., np.newaxis] if X.ndim == 3 else X
