"""A classifier over any backbone of the table."""

from numbers import Integral, Real
from os import PathLike

from sklearn.utils._param_validation import Interval, StrOptions

from brain_tumor_clf import networks
from brain_tumor_clf.classifiers._base import BaseCNNClassifier
from brain_tumor_clf.classifiers._docstring import document_common


@document_common(learning_rate="the backbone's own", epochs=10)
class TransferCNNClassifier(BaseCNNClassifier):
    """A published architecture with a small head, from ImageNet weights or scratch.

    Parameters
    ----------
    backbone : str, default="EfficientNetLite0"
        A name of `brain_tumor_clf.networks.BACKBONES`.
    weights : {"imagenet", "brain-mri"}, path or None, default=None
        Initial weights of the backbone: those of ImageNet; those of the model that
        comes with the package, for EfficientNetLite0; a file of weights of the same
        network; or random ones. "brain-mri" has seen the public Kaggle set: a
        cross-validation on such images then measures memory.
    trainable : {"all", "head"} or int, default="all"
        What is trained: everything, only the layers after the backbone, or also its
        last so many blocks.
    pooling : {"max", "avg"}, default="max"
        Global pooling after the backbone.
    dense_units : int, default=64
        Units of the dense layer after pooling; 0 leaves it out.
    dropout : float, default=0.2
        Share of units dropped before and after the dense layer, in [0, 1).
    %(common_parameters)s

    Attributes
    ----------
    %(common_attributes)s

    See Also
    --------
    XceptionClassifier : The notebooks' second network.
    VGG16Classifier : The notebooks' third network.
    brain_tumor_clf.CNNFeatures : A frozen backbone as a transformer.

    References
    ----------
    %(common_references)s

    Examples
    --------
    >>> from brain_tumor_clf import TransferCNNClassifier
    >>> clf = TransferCNNClassifier("MobileNetV2", trainable="head", dropout=0.5)
    >>> clf.get_params()["backbone"]
    'MobileNetV2'
    """

    _parameter_constraints = {
        **BaseCNNClassifier._parameter_constraints,
        "backbone": [str],
        "weights": [str, PathLike, None],
        "trainable": [
            StrOptions({"all", "head"}),
            Interval(Integral, 0, None, closed="left"),
        ],
        "pooling": [StrOptions({"max", "avg"})],
        "dense_units": [Interval(Integral, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        backbone="EfficientNetLite0",
        *,
        weights=None,
        trainable="all",
        pooling="max",
        dense_units=64,
        dropout=0.2,
        augmentation=None,
        optimizer="adam",
        learning_rate=None,
        lr_schedule=None,
        weight_decay=0.0,
        label_smoothing=0.0,
        epochs=10,
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
        self.backbone = backbone
        self.weights = weights
        self.trainable = trainable
        self.pooling = pooling
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
        return networks.get_backbone(self.backbone).learning_rate

    def _build_network(self, input_shape, n_outputs, augmentation, dtype):
        return networks.transfer_cnn(
            self.backbone,
            input_shape,
            n_outputs,
            weights=self.weights,
            trainable=self.trainable,
            pooling=self.pooling,
            dense_units=self.dense_units,
            dropout=self.dropout,
            augmentation=augmentation,
            dtype=dtype,
        )
