"""Parameters that every classifier shares, documented once."""

import inspect

COMMON_PARAMETERS = """\
augmentation : None, str, Augmentation, or Keras layers, default=None
    Random changes of the training images: "light", "strong", "notebook" (brightness
    from 0.6 to 1.4), an `Augmentation`, or Keras layers that take and give grey
    levels 0 to 255.
optimizer : str, type or keras.optimizers.Optimizer, default="adam"
    Keras optimizer. A name or class takes ``optimizer__…`` parameters; an instance
    is copied with its own learning rate.
learning_rate : float or None, default=None
    Highest learning rate; None is {learning_rate}.
lr_schedule : None, str, LearningRateSchedule or Keras schedule, default=None
    The learning rate over the steps of the fit: "cosine", "warmup_cosine", or None
    for a constant one.
weight_decay : float, default=0.0
    Decoupled weight decay [Loshchilov2019]_ of kernels.
label_smoothing : float, default=0.0
    Share of the target that is spread over all classes, in [0, 1) [Szegedy2016]_.
epochs : int, default={epochs}
    Passes over the training images, at most.
batch_size : int, default=32
    Images a step, in training and prediction.
early_stopping : bool, default=False
    Hold out a part of the images, stop when its loss no longer falls, and keep the
    best weights. Give `fit` the `groups` of the images.
validation_fraction : float, default=0.1
    Share of the images that early stopping holds out, by class and whole groups.
n_iter_no_change : int, default=5
    Epochs without a lower validation loss before training stops.
class_weight : dict, "balanced" or None, default=None
    Weight of each class in the loss, as in scikit-learn.
mixed_precision : bool or str, default=False
    Compute in half precision: True (float16) or a Keras policy, "mixed_float16" or
    "mixed_bfloat16". Other networks of the process are not affected.
test_time_augmentation : {{"mirror"}} or None, default=None
    "mirror" averages the logits of each image and its left-right mirror image when
    predicting, at twice the cost. Training is not affected.
warm_start : bool, default=False
    Let `fit` train on with the network and optimizer of the call before, at
    `learning_rate`; a learning rate schedule begins anew. Another `augmentation` takes
    the place of the earlier one, and images may be of another size if no weights of the
    network depend on it; the optimizer then begins anew. Other parameters of network
    and optimizer stay those of the first call. A pickle carries the optimizer's state.
callbacks : keras.callbacks.Callback, list of them or None, default=None
    Each fit uses copies, kept as `callbacks_`.
random_state : int, RandomState, Generator or None, default=None
    Seed of initial weights, batches, validation split, dropout and augmentation.
verbose : int, default=0
    1 shows one progress bar for the whole fit, 2 prints a line an epoch.
**routed : dict
    ``optimizer__name`` for the Keras optimizer, ``fit__name`` for ``Model.fit``.\
"""

COMMON_ATTRIBUTES = """\
classes_ : ndarray of shape (n_classes,)
    Labels in the order of the columns of `predict_proba`.
model_ : keras.Model
    The network; it takes grey levels 0 to 255 and puts out logits.
history_ : dict of str to list of float
    "loss", "accuracy", "learning_rate" and, where there is a validation part,
    "val_loss" and "val_accuracy" of each epoch.
n_iter_ : int
    Number of epochs trained.
input_shape_ : tuple of int
    Height, width and channels of the images.
callbacks_ : list of keras.callbacks.Callback
    The callbacks of the last fit.\
"""

COMMON_REFERENCES = """\
.. [Loshchilov2019] Loshchilov and Hutter, "Decoupled weight decay regularization",
   ICLR 2019.
.. [Szegedy2016] Szegedy et al., "Rethinking the Inception architecture for computer
   vision", CVPR 2016.\
"""


def document_common(*, learning_rate, epochs):
    """Class decorator that fills the shared parts into a docstring.

    Parameters
    ----------
    learning_rate : str
        What the default learning rate is, in words.
    epochs : int
        The default of `epochs`.
    """
    parts = {
        "common_parameters": COMMON_PARAMETERS.format(
            learning_rate=learning_rate, epochs=epochs
        ),
        "common_attributes": COMMON_ATTRIBUTES,
        "common_references": COMMON_REFERENCES,
    }

    def fill(cls):
        doc = inspect.cleandoc(cls.__doc__)
        for name, text in parts.items():
            doc = doc.replace(f"%({name})s", text)
        cls.__doc__ = doc
        return cls

    return fill
