"""The base of all transformers: one hook per image, mapped over the collection."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils._set_output import _get_output_config

from brain_tumor_clf._validation import check_image_collection, validate_params
from brain_tumor_clf.preprocessing._mapping import iter_results
from brain_tumor_clf.preprocessing._pixels import check_uint8_image

N_JOBS = [
    Interval(Integral, 1, None, closed="left"),
    Interval(Integral, None, -1, closed="right"),
    None,
]


class Placement(NamedTuple):
    """The rectangle of an image that a result made from it shows.

    Attributes
    ----------
    image_shape : (int, int)
        Height and width of the image in pixels, upright and at full size.
    top, left, bottom, right : float
        Edges of the result in pixels of the image: 0, 0, height and width where it
        shows all of it. Beyond these where the result is padded.
    """

    image_shape: tuple
    top: float
    left: float
    bottom: float
    right: float

    @classmethod
    def whole(cls, shape):
        """Return the placement of a result that shows all of an image."""
        height, width = shape[:2]
        return cls((height, width), 0, 0, height, width)

    def then(self, inner):
        """Return where a result of this result lies in the image."""
        height, width = inner.image_shape
        y = (self.bottom - self.top) / height
        x = (self.right - self.left) / width
        return Placement(
            self.image_shape,
            self.top + inner.top * y,
            self.left + inner.left * x,
            self.top + inner.bottom * y,
            self.left + inner.right * x,
        )


class ImageTransformer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Base of transformers that work on one image at a time and learn nothing.

    `fit` and `transform` are defined here, once. A subclass has the parameter
    `n_jobs` (None means 1, -1 all processors; threads, because Pillow and NumPy
    release the interpreter lock), `_parameter_constraints`, and these hooks:

    - ``_transform_image(image)``: one ``uint8`` image ``(H, W)`` or ``(H, W, 3)`` to
      another. It must change neither `image` nor the estimator.
    - ``_place(image, result)``: the `Placement` of the result in `image`; only for what
      crops or pads.
    - ``_check_params()``: raise on what `_parameter_constraints` cannot express.
    - ``_makes_batch(given_batch)``: whether results are one array ``(n, H, W, C)``.
    - ``_input_size_needed(size)``: the least input that still gives an output of at
      least `size`, so that files need not be decoded at full size.
    """

    def __init_subclass__(cls, **kwargs):
        # scikit-learn would make a table of the pixels; see `set_output`.
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def fit(self, X, y=None):
        """Check the parameters; nothing is learned.

        Images are not looked at: one that cannot be read is found by `transform`.

        Parameters
        ----------
        X : sequence of n images
            See `transform`.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        check_image_collection(X)
        self._check_all_params()
        return self

    def transform(self, X):
        """Transform every image.

        Parameters
        ----------
        X : sequence of n images
            One image per entry. ``uint8`` arrays ``(H, W)`` or ``(H, W, 3)``, or an
            array ``(n, H, W, C)``; for `ImageReader`, and an `ImagePipeline` that
            begins with it, anything that it reads.

        Returns
        -------
        ndarray of shape (n,), dtype object, or (n, H, W, C), dtype uint8
            One ``uint8`` array ``(H, W)`` or ``(H, W, 3)`` per image before the
            resizer, even when all sizes agree; a single array after it.

        Raises
        ------
        ImageReadError
            If images cannot be read: all of them, path by path.
        """
        sources = self._check(X)
        results = iter_results(self._function(), sources, self.n_jobs)
        images = self._gather(sources, results)
        container = _get_output_config("transform", self)["dense"]
        if container == "pandas" and isinstance(X, (pd.Series, pd.DataFrame)):
            name = X.columns[0] if X.ndim == 2 else X.name or "image"
            column = pd.Series(list(images), index=X.index, dtype=object)
            return column.to_frame(name)
        return images

    def transform_and_locate(self, X):
        """Transform every image, and return which part of it the result shows.

        A cache is not used, as it keeps results alone.

        Parameters
        ----------
        X : sequence of n images
            As in `transform`.

        Returns
        -------
        images : ndarray
            What `transform` returns.
        placements : list of n Placement
            Named tuples ``(image_shape, top, left, bottom, right)``: height and width
            of the image, upright and at full size, and the edges of the result in its
            pixels. They lie beyond the image where the result is padded.

        Raises
        ------
        ImageReadError
            If images cannot be read: all of them, path by path.
        """
        X = self._check(X)
        results = iter_results(self._apply_and_locate, X, self.n_jobs)
        images, placements = zip(*results, strict=True)
        return self._gather(X, images), list(placements)

    def iter_transform(self, X):
        """Transform the images one by one, as they are asked for.

        Parameters
        ----------
        X : sequence of n images
            As in `transform`.

        Yields
        ------
        ndarray of dtype uint8
            The next image, as the entries of what `transform` returns. A few more are
            prepared ahead when `n_jobs` is not 1.

        Raises
        ------
        ImageReadError
            At the end, if images could not be read. Nothing is yielded after the first
            of them.
        """
        X = self._check(X)
        return iter_results(self._function(), X, self.n_jobs)

    def set_output(self, *, transform=None):
        """Choose whether images that come from a table go into a table.

        With "pandas", images made from a Series or DataFrame are returned as a
        DataFrame of one column with the same index, so that a `ColumnTransformer` puts
        them beside other columns. Images from anything else stay an array.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            The container; None changes nothing.

        Returns
        -------
        self : object
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features=None):
        """Return the names of the input: an image stays one feature.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input columns, "image" by default.

        Returns
        -------
        ndarray of str objects
        """
        names = ["image"] if input_features is None else input_features
        return np.asarray(names, dtype=object)

    def _check(self, X):
        X = check_image_collection(X)
        self._check_all_params()
        return X

    def _check_all_params(self):
        validate_params(self)
        self._check_params()

    def _function(self):
        """Return what is mapped over the collection."""
        return self._apply

    def _apply(self, image, size_needed=None):
        """Transform one entry of `X`; `size_needed` of the result suffices."""
        return self._transform_image(check_uint8_image(image, type(self).__name__))

    def _apply_and_locate(self, image, size_needed=None):
        result = self._apply(image, size_needed)
        return result, self._place(image, result)

    def _gather(self, X, results):
        given_batch = X.dtype != object and X.ndim == 4
        if self._makes_batch(given_batch):
            return _stack(results, len(X))
        images = np.empty(len(X), dtype=object)
        for i, image in enumerate(results):
            # A view would keep the whole of a larger image alive, or be of X itself.
            shared = image is X[i] or image.base is not None
            images[i] = image.copy() if shared else image
        return images

    def _check_params(self):
        """Raise on wrong parameters."""

    def _place(self, image, result):
        return Placement.whole(image.shape)

    def _makes_batch(self, given_batch):
        return False

    def _input_size_needed(self, size):
        return None

    def _state(self, size_needed):
        """Return all that the result of an image depends on."""
        params = self.get_params(deep=False)
        del params["n_jobs"]
        return f"{type(self).__module__}.{type(self).__qualname__}", params

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["uint8"]
        tags.requires_fit = False
        return tags


def _stack(images, n_images):
    """Return one array ``(n, H, W, C)``, without a second copy of the images."""
    batch = None
    for i, image in enumerate(images):
        image = image[:, :, np.newaxis] if image.ndim == 2 else image
        if batch is None:
            batch = np.empty((n_images, *image.shape), dtype=np.uint8)
        if image.shape != batch.shape[1:]:
            raise ValueError(
                f"Images must agree in size and channels, got {batch.shape[1:]} and, "
                f"at position {i}, {image.shape}. ImageReader(color_mode=…) gives all "
                "images the same channels."
            )
        batch[i] = image
    return batch
