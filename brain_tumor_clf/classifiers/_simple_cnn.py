"""The notebook's first network as a classifier."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from brain_tumor_clf import networks
from brain_tumor_clf.classifiers._base import BaseCNNClassifier
from brain_tumor_clf.classifiers._parameters import inherit_parameters


@inherit_parameters
class SimpleCNNClassifier(BaseCNNClassifier):
    """A small convolutional network, trained from scratch.

    By default two blocks of 3x3 convolution and 2x2 max pooling with 32 and 64
    filters, flattened into one dense layer.

    Parameters
    ----------
    filters : tuple of int, default=(32, 64)
        Number of filters of each block. A map of one pixel is not pooled further.
    dense_units : int, default=64
        Units of the dense layer; 0 leaves it out.
    dropout : float, default=0.0
        Fraction of the dense layer's units, or of the flattened map if there are none,
        to drop in training, in [0, 1).
    epochs : int, default=20
        Passes over the training images, at most.

    See Also
    --------
    TransferCNNClassifier : Larger networks, with ImageNet weights if wanted.
    brain_tumor_clf.make_mri_pipeline : Reads and resizes files for a classifier.

    Examples
    --------
    >>> from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri
    >>> scans = make_brain_mri(n_samples=16, image_size=(24, 24), random_state=0)
    >>> clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> clf.fit(scans.data, scans.target).predict_proba(scans.data).shape
    (16, 4)
    """

    _parameter_constraints = {
        **BaseCNNClassifier._parameter_constraints,
        "filters": [tuple, list],
        "dense_units": [Interval(Integral, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        filters=(32, 64),
        *,
        dense_units=64,
        dropout=0.0,
        epochs=20,
        **inherited,
    ):
        self.filters = filters
        self.dense_units = dense_units
        self.dropout = dropout
        super().__init__(epochs=epochs, **inherited)

    def _default_learning_rate(self):
        return 1e-3

    def _build_network(self, input_shape, n_outputs, augmentation, dtype, seed):
        return networks.simple_cnn(
            input_shape,
            n_outputs,
            filters=self.filters,
            dense_units=self.dense_units,
            dropout=self.dropout,
            augmentation=augmentation,
            dtype=dtype,
            seed=seed,
        )
