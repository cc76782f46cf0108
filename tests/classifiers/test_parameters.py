"""Parameters: all of them shown, unknown names refused at once."""

import inspect

import keras
import pytest
from sklearn.base import clone, is_classifier

import brain_tumor_clf
from brain_tumor_clf import Augmentation, LearningRateSchedule, SimpleCNNClassifier

CLASSIFIERS = [
    brain_tumor_clf.SimpleCNNClassifier,
    brain_tumor_clf.TransferCNNClassifier,
    brain_tumor_clf.XceptionClassifier,
    brain_tumor_clf.VGG16Classifier,
]


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_params_are_those_of_the_signature(cls):
    names = set(inspect.signature(cls).parameters) - {"routed"}
    assert set(cls().get_params(deep=False)) == names


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_every_parameter_is_documented_with_its_default(cls):
    for name, parameter in inspect.signature(cls).parameters.items():
        if name == "routed":
            continue
        line = next(
            line for line in cls.__doc__.splitlines() if line.startswith(f"{name} :")
        )
        documented = line.split("default=")[-1].strip("\"' ")
        assert documented == str(parameter.default), line
    assert "%(" not in cls.__doc__


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_shared_parameters_have_shared_defaults(cls):
    ours = inspect.signature(SimpleCNNClassifier).parameters
    for name, parameter in inspect.signature(cls).parameters.items():
        if name in ours and name not in {"epochs", "dropout"}:
            assert parameter.default == ours[name].default, name


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_is_a_keras_classifier_and_a_classifier(cls):
    from scikeras.wrappers import KerasClassifier

    assert isinstance(cls(), KerasClassifier)
    assert is_classifier(cls())


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_public_methods_are_those_of_the_base(cls):
    from brain_tumor_clf.classifiers import BaseCNNClassifier

    bases = [c for c in BaseCNNClassifier.__mro__ if "brain_tumor" in c.__module__]
    names = {name for base in bases for name in vars(base) if name[0] != "_"}
    own = {name for name in names if not name.endswith("_request")}
    assert {"fit", "predict", "predict_proba"} <= own
    for sub in cls.__mro__[: cls.__mro__.index(BaseCNNClassifier)]:
        assert not own & set(vars(sub)), sub


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("learing_rate", "learning_rate"),
        ("fit__step_per_epoch", "fit__steps_per_epoch"),
        ("fitler", "filters"),
    ],
)
def test_an_unknown_name_is_refused_at_construction(name, near):
    with pytest.raises(TypeError, match=f"{name}.*Did you mean '{near}'"):
        SimpleCNNClassifier(**{name: 1})


def test_routed_names_that_have_a_parameter_are_refused():
    with pytest.raises(TypeError, match="learning_rate=…"):
        SimpleCNNClassifier(optimizer__learning_rate=0.1)
    with pytest.raises(TypeError, match="fit__epochs"):
        SimpleCNNClassifier(fit__epochs=3)


def test_set_params_refuses_unknown_names():
    with pytest.raises(ValueError, match="Invalid parameter 'filtres'"):
        SimpleCNNClassifier().set_params(filtres=(2,))
    with pytest.raises(TypeError, match="fit__nothing"):
        SimpleCNNClassifier().set_params(fit__nothing=1)


def test_routed_parameters_are_cloned_and_reach_the_optimizer(phantoms, tiny):
    clf = clone(tiny(optimizer="adam", optimizer__beta_1=0.5))
    assert clf.get_params()["optimizer__beta_1"] == 0.5
    clf.set_params(optimizer__beta_1=0.25).fit(phantoms.data, phantoms.target)
    assert clf.model_.optimizer.beta_1 == 0.25


def test_an_optimizer_parameter_of_another_optimizer_is_named(phantoms, tiny):
    clf = tiny(optimizer="sgd", optimizer__beta_1=0.5)
    with pytest.raises(TypeError, match=r"SGD does not take optimizer__.*beta_1"):
        clf.fit(phantoms.data, phantoms.target)


def test_an_unknown_optimizer_names_the_near_miss(phantoms, tiny):
    with pytest.raises(ValueError, match="Did you mean 'rmsprop'"):
        tiny(optimizer="rmspro").fit(phantoms.data, phantoms.target)


def test_optimizer_instance_is_copied(phantoms, tiny):
    optimizer = keras.optimizers.SGD(0.125)
    clf = tiny(optimizer=optimizer).fit(phantoms.data, phantoms.target)
    assert not optimizer.built
    assert clf.history_["learning_rate"] == [0.125, 0.125]


def test_weight_decay_spares_biases(phantoms, tiny):
    clf = tiny(weight_decay=0.01).fit(phantoms.data, phantoms.target)
    optimizer = clf.model_.optimizer
    decayed = {
        v.path.split("/")[-1]
        for v in clf.model_.trainable_variables
        if optimizer._use_weight_decay(v)
    }
    assert decayed == {"kernel"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"dropout": 1.0}, "dropout"),
        ({"augmentation": "lite"}, "Did you mean 'light'"),
        ({"augmentation": 3}, "augmentation must be"),
        ({"lr_schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"lr_schedule": 3}, "'lr_schedule' parameter"),
        ({"class_weight": "balance"}, "class_weight"),
        ({"callbacks": "stop"}, "'callbacks' parameter"),
        ({"callbacks": [1]}, "instances of keras.callbacks.Callback"),
        ({"mixed_precision": "float8"}, "mixed_precision"),
    ],
)
def test_bad_values_are_refused_in_fit(phantoms, tiny, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny(**params).fit(phantoms.data, phantoms.target)


def test_composites_are_searched_by_their_own_names():
    clf = SimpleCNNClassifier(
        augmentation=Augmentation(), lr_schedule=LearningRateSchedule()
    )
    clf = clone(clf).set_params(augmentation__zoom=0.3, lr_schedule__decay="linear")
    assert clf.augmentation.zoom == 0.3
    assert clf.lr_schedule.decay == "linear"


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(SimpleCNNClassifier(epochs=3)) == "SimpleCNNClassifier(epochs=3)"
