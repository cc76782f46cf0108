"""A classifier over any backbone of the table."""

from numbers import Integral, Real
from os import PathLike

from sklearn.utils._param_validation import Interval, StrOptions

from brain_tumor_clf import networks
from brain_tumor_clf.classifiers._base import BaseCNNClassifier
from brain_tumor_clf.classifiers._parameters import inherit_parameters


@inherit_parameters
class TransferCNNClassifier(BaseCNNClassifier):
    """Fine-tune a published architecture, or train it from scratch.

    The head is global pooling, dropout, a dense layer and dropout.

    Parameters
    ----------
    backbone : str, default="EfficientNetLite0"
        A name of `brain_tumor_clf.networks.BACKBONES`.
    weights : {"imagenet", "brain-mri-multisource"}, path or None, default=None
        Initial weights of the backbone: those of ImageNet; those of the model that
        comes with the package, for EfficientNetLite0; or random ones. A path names
        weights of the same network without top (``.weights.h5``, or ``.h5`` as
        ``keras.applications`` has them), or a saved model that begins with it
        (``.keras``). "brain-mri-multisource" was trained on the public Kaggle set and
        ten other sources: a cross-validation on their images suffers from leakage.
    trainable : {"all", "head"} or int, default="all"
        What is trained: everything, only the layers after the backbone, or also its
        last so many blocks. Frozen batch normalization runs in inference mode.
    pooling : {"max", "avg"}, default="max"
        Global pooling after the backbone.
    dense_units : int, default=64
        Units of the dense layer after pooling; 0 leaves it out.
    dropout : float, default=0.2
        Share of units dropped before and after the dense layer, in [0, 1).
    mix_style : float, default=0.0
        Share of the training batches in which the statistics of feature maps are mixed
        between images [Zhou2021]_, after the first three stages, so that they tell less
        of the scanner; for EfficientNetLite0 only.

    See Also
    --------
    XceptionClassifier : The notebooks' second network.
    VGG16Classifier : The notebooks' third network.
    brain_tumor_clf.CNNFeatures : A frozen backbone as a transformer.

    References
    ----------
    .. [Zhou2021] Zhou et al., "Domain generalization with MixStyle", ICLR 2021.

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
        "mix_style": [Interval(Real, 0, 1, closed="both")],
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
        mix_style=0.0,
        **inherited,
    ):
        self.backbone = backbone
        self.weights = weights
        self.trainable = trainable
        self.pooling = pooling
        self.dense_units = dense_units
        self.dropout = dropout
        self.mix_style = mix_style
        super().__init__(**inherited)

    def _default_learning_rate(self):
        return networks.get_backbone(self.backbone).learning_rate

    def _build_network(self, input_shape, n_outputs, augmentation, dtype, seed):
        return networks.transfer_cnn(
            self.backbone,
            input_shape,
            n_outputs,
            weights=self.weights,
            trainable=self.trainable,
            pooling=self.pooling,
            dense_units=self.dense_units,
            dropout=self.dropout,
            mix_style=self.mix_style,
            augmentation=augmentation,
            dtype=dtype,
            seed=seed,
        )


@inherit_parameters
class XceptionClassifier(TransferCNNClassifier):
    """Fine-tune Xception [Chollet2017]_ under the notebooks' head.

    See Also
    --------
    TransferCNNClassifier : The same with any backbone of the table.

    References
    ----------
    .. [Chollet2017] Chollet, "Xception: deep learning with depthwise separable
       convolutions", CVPR 2017.

    Examples
    --------
    >>> from brain_tumor_clf import XceptionClassifier
    >>> clf = XceptionClassifier(weights="imagenet", early_stopping=True)
    >>> clf.get_params()["trainable"]
    'all'
    """

    def __init__(self, **inherited):
        super().__init__("Xception", **inherited)


@inherit_parameters
class VGG16Classifier(TransferCNNClassifier):
    """Fine-tune VGG16 [Simonyan2015]_ under the notebooks' head.

    See Also
    --------
    TransferCNNClassifier : The same with any backbone of the table.

    References
    ----------
    .. [Simonyan2015] Simonyan and Zisserman, "Very deep convolutional networks for
       large-scale image recognition", ICLR 2015.

    Examples
    --------
    >>> from brain_tumor_clf import VGG16Classifier
    >>> clf = VGG16Classifier(weights="imagenet", early_stopping=True)
    >>> clf.get_params()["trainable"]
    'all'
    """

    def __init__(self, **inherited):
        super().__init__("VGG16", **inherited)
