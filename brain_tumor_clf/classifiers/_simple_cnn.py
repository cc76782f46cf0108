"""The notebook's first network as a classifier."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from brain_tumor_clf import networks
from brain_tumor_clf.classifiers._base import BaseCNNClassifier
from brain_tumor_clf.classifiers._docstring import document_common


@document_common(learning_rate="0.001", epochs=20)
class SimpleCNNClassifier(BaseCNNClassifier):
    """A small convolutional network, trained from scratch.

    By default two blocks of 3x3 convolution and 2x2 max pooling with 32 and 64
    filters, flattened into one dense layer.

    Parameters
    ----------
    filters : tuple of int, default=(32, 64)
        Number of filters of each block.
    dense_units : int, default=64
        Units of the dense layer; 0 leaves it out.
    dropout : float, default=0.0
        Share of the dense layer's units dropped in training, in [0, 1).
    %(common_parameters)s

    Attributes
    ----------
    %(common_attributes)s

    See Also
    --------
    TransferCNNClassifier : Larger networks, with ImageNet weights if wanted.
    brain_tumor_clf.make_mri_pipeline : Reads and resizes files for a classifier.

    References
    ----------
    %(common_references)s

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
        augmentation=None,
        optimizer="adam",
        learning_rate=None,
        lr_schedule=None,
        weight_decay=0.0,
        label_smoothing=0.0,
        epochs=20,
        batch_size=32,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        class_weight=None,
        mixed_precision=False,
        test_time_augmentation=None,
        warm_start=False,
        callbacks=None,
        random_state=None,
        verbose=0,
        **routed,
    ):
        self.filters = filters
        self.dense_units = dense_units
        self.dropout = dropout
        super().__init__(
            augmentation=augmentation,
            optimizer=optimizer,
            learning_rate=learning_rate,
            lr_schedule=lr_schedule,
            weight_decay=weight_decay,
            label_smoothing=label_smoothing,
            epochs=epochs,
            batch_size=batch_size,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            class_weight=class_weight,
            mixed_precision=mixed_precision,
            test_time_augmentation=test_time_augmentation,
            warm_start=warm_start,
            callbacks=callbacks,
            random_state=random_state,
            verbose=verbose,
            **routed,
        )

    def _default_learning_rate(self):
        return 1e-3

    def _build_network(self, input_shape, n_outputs, augmentation, dtype):
        return networks.simple_cnn(
            input_shape,
            n_outputs,
            filters=self.filters,
            dense_units=self.dense_units,
            dropout=self.dropout,
            augmentation=augmentation,
            dtype=dtype,
        )
