"""The types that a model file may hold: an allow-list, and nothing beside it."""

PACKAGE = __name__.split(".", 1)[0]

# The package's own, by the room that exports them.
OWN_TYPES = {
    "classifiers": (
        "Augmentation",
        "LearningRateSchedule",
        "SimpleCNNClassifier",
        "TransferCNNClassifier",
        "VGG16Classifier",
        "XceptionClassifier",
    ),
    "feature_extraction": ("CNNFeatures",),
    "outlier_detection": ("FamiliarityGuard", "ScanGuard"),
    "preprocessing": (
        "HeadCropper",
        "ImagePipeline",
        "ImageReader",
        "ImageResizer",
        "IntensityNormalizer",
    ),
    "selective": ("SelectiveClassifier",),
}

# Helpers and functions inside scikit-learn's estimators, beyond its public estimators
# (which skops trusts). Trees are left out: their nodes index memory unchecked.
_SKLEARN_TYPES = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.model_selection._split.GroupShuffleSplit",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.LeaveOneGroupOut",
    "sklearn.model_selection._split.RepeatedStratifiedKFold",
    "sklearn.model_selection._split.ShuffleSplit",
    "sklearn.model_selection._split.StratifiedGroupKFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.model_selection._split.StratifiedShuffleSplit",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
)

TRUSTED_TYPES = (
    *(f"{PACKAGE}.{room}.{name}" for room in OWN_TYPES for name in OWN_TYPES[room]),
    *_SKLEARN_TYPES,
    "numpy.dtype",
)

# Nodes of skops' schema that hold data. Left out: bound methods, operators, partial
# functions, calls of a constructor, sparse matrices (indices unchecked), raw bytes.
TRUSTED_LOADERS = (
    "DTypeNode",
    "DefaultDictNode",
    "DictNode",
    "FunctionNode",  # NumPy's and SciPy's ufuncs alone, by skops' own list
    "JsonNode",
    "ListNode",
    "LossNode",
    "MaskedArrayNode",
    "NdArrayNode",
    "ObjectNode",
    "RandomGeneratorNode",
    "RandomStateNode",
    "SetNode",
    "SliceNode",
    "TupleNode",
    "TypeNode",
)
