"""VGG16 as a classifier."""

from brain_tumor_clf.classifiers._docstring import document_common
from brain_tumor_clf.classifiers._transfer import TransferCNNClassifier


@document_common(learning_rate="the backbone's own", epochs=10)
class VGG16Classifier(TransferCNNClassifier):
    """VGG16 [Simonyan2015]_ under the notebooks' head.

    The head is global max pooling, dropout, a dense layer of 64 units, dropout.

    Parameters
    ----------
    weights : {"imagenet"}, path or None, default=None
        Initial weights of the backbone: those of ImageNet, a file of weights of the
        same network, or random ones.
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
    TransferCNNClassifier : The same over any backbone of the table.

    References
    ----------
    .. [Simonyan2015] Simonyan and Zisserman, "Very deep convolutional networks for
       large-scale image recognition", ICLR 2015.
    %(common_references)s

    Examples
    --------
    >>> from brain_tumor_clf import VGG16Classifier
    >>> clf = VGG16Classifier(weights="imagenet", early_stopping=True)
    >>> clf.get_params()["trainable"]
    'all'
    """

    def __init__(
        self,
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
        super().__init__(
            "VGG16",
            weights=weights,
            trainable=trainable,
            pooling=pooling,
            dense_units=dense_units,
            dropout=dropout,
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
