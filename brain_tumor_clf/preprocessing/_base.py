"""The base of all transformers: one hook per image, mapped over the collection."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.preprocessing._mapping import check_n_jobs, iter_results
from brain_tumor_clf.preprocessing._placement import Placement


class ImageStream:
    """Images that are made anew, one by one, in each pass over them.

    Parameters
    ----------
    function : callable
        Makes an image from an entry of `sources`.
    sources : sequence
    n_jobs : int or None, default=None
        Number of threads.
    """

    def __init__(self, function, sources, n_jobs=None):
        self._function = function
        self._sources = sources
        self._n_jobs = n_jobs

    def __len__(self):
        return len(self._sources)

    def __iter__(self):
        return iter_results(self._function, self._sources, self._n_jobs)


class ImageTransformer(TransformerMixin, BaseEstimator):
    """Base of transformers that work on one image at a time.

    `fit` and `transform` are defined here, once. A subclass has the parameter
    `n_jobs` (None means 1, -1 all processors; threads, because Pillow and NumPy
    release the interpreter lock) and fills these hooks:

    - ``_transform_image(image)``: one ``uint8`` image ``(H, W)`` or ``(H, W, 3)`` to
      another. It must neither change `image` nor the estimator.
    - ``_transform_and_locate(image)``: the same, and the box of `image` that the result
      shows (top, left, bottom, right in pixels); only for what crops or pads.
    - ``_check_params()``: raise on parameters that are wrong; called by `fit` and by
      `transform`.
    - ``_learns`` (default False) and ``_fit_images(images)``: whether `fit` looks at
      images, and what it learns from them. `images` may be passed over several times;
      each pass makes the images anew, one by one.
    - ``_makes_batch(given_batch)``: whether results are one array ``(n, H, W, C)``.
    - ``_input_size_needed(size)``: the least input that still gives an output of at
      least `size`, so that files need not be decoded at full size.
    """

    _learns = False

    def fit(self, X, y=None):
        """Check the parameters and learn what the transformer has to learn.

        Only a transformer that learns looks at the images here; all others find an
        image that cannot be read in `transform`.

        Parameters
        ----------
        X : sequence of n images
            See `transform`.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        X = check_image_collection(X)
        self._check_all_params()
        self._fit_collection(X)
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
        return self._gather(*self._stream(X))

    def transform_and_locate(self, X):
        """Transform every image, and tell which part of it the result shows.

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
        X, stream = self._stream(X, self._locating_function())
        images, placements = zip(*stream, strict=True)
        return self._gather(X, images), list(placements)

    def _gather(self, X, results):
        given_batch = X.dtype != object and X.ndim == 4
        if self._makes_batch(given_batch):
            return _stack(results)
        images = np.empty(len(X), dtype=object)
        for i, image in enumerate(results):
            # A view would keep the whole of a larger image alive, or be of X itself.
            images[i] = (
                image.copy() if image is X[i] or image.base is not None else image
            )
        return images

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
            At the end, if images could not be read. None is yielded after the first of
            them.
        """
        return iter(self._stream(X)[1])

    def _stream(self, X, function=None):
        X = check_image_collection(X)
        self._check_all_params()
        check_is_fitted(self)
        return X, ImageStream(function or self._image_function(), X, self.n_jobs)

    def _check_all_params(self):
        check_n_jobs(self.n_jobs)
        self._check_params()

    def _fit_collection(self, X):
        if self._learns:
            self._fit_images(ImageStream(self._check_image, X, self.n_jobs))

    def _image_function(self, size_needed=None):
        """What makes one result from one entry of `X`; `size_needed` of its output."""
        return self._apply

    def _locating_function(self, size_needed=None):
        """As `_image_function`, of results with their placements."""
        return self._apply_and_locate

    def _apply(self, image):
        return self._transform_image(self._check_image(image))

    def _apply_and_locate(self, image):
        image = self._check_image(image)
        result, box = self._transform_and_locate(image)
        return result, Placement(image.shape[:2], *box)

    def _transform_and_locate(self, image):
        return self._transform_image(image), (0, 0, *image.shape[:2])

    def _check_image(self, image):
        return check_uint8_image(image, type(self).__name__)

    def _check_params(self):
        """Raise on wrong parameters."""

    def _fit_images(self, images):
        """Learn from images."""

    def _makes_batch(self, given_batch):
        return False

    def _input_size_needed(self, size):
        return None

    def _state(self, size_needed):
        """All that the hook's result depends on beside the image."""
        state = {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "n_jobs"
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", state

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["uint8"]
        tags.requires_fit = self._learns
        return tags


def check_uint8_image(image, user):
    """Return a ``uint8`` image as ``(H, W)`` or ``(H, W, 3)``, or raise.

    Parameters
    ----------
    image : ndarray
    user : str
        Name of the transformer that takes the image.
    """
    advice = (
        f"{user} takes uint8 arrays (H, W) or (H, W, 3); put an ImageReader before it."
    )
    if not isinstance(image, np.ndarray):
        raise TypeError(f"Got an image as {type(image).__name__}. {advice}")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not is_image or image.size == 0:
        raise ValueError(
            f"Got an image of shape {image.shape} and dtype {image.dtype}. {advice}"
        )
    return image


def _stack(stream):
    """One array ``(n, H, W, C)`` of a stream, without a second copy of it."""
    batch = None
    for i, image in enumerate(stream):
        image = image[:, :, np.newaxis] if image.ndim == 2 else image
        if batch is None:
            batch = np.empty((len(stream), *image.shape), dtype=np.uint8)
        if image.shape != batch.shape[1:]:
            raise ValueError(
                f"Images must agree in size and channels, got {batch.shape[1:]} and, "
                f"at position {i}, {image.shape}. ImageReader(color_mode=…) gives all "
                "images the same channels."
            )
        batch[i] = image
    return batch
