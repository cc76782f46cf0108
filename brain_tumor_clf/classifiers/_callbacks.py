"""Callbacks of the training loop."""

import copy
import pickle

import keras
import numpy as np

from brain_tumor_clf.exceptions import DivergenceError


def own_callbacks(verbose, patience=None, averages=False):
    """Return the callbacks of a fit; with a patience it stops early.

    With `averages` the averaged weights are validated, and the best of them are kept.
    """
    callbacks = [StopAtDivergence(), RecordLearningRate()]
    if averages:
        # Ahead of early stopping, which sees the weights of an epoch's end.
        stops = patience is not None
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=stops))
    if patience is not None:
        stopping = keras.callbacks.EarlyStopping(
            patience=patience, restore_best_weights=True
        )
        callbacks.append(stopping)
    if verbose:
        callbacks.append(FitProgress() if verbose == 1 else EpochLines())
    return callbacks


def learning_rate_of(network):
    """Return the current learning rate as a number."""
    # A computed tensor: NumPy 2 warns of how Keras turns a variable into an array.
    rate = keras.ops.add(network.optimizer.learning_rate, 0.0)
    return float(keras.ops.convert_to_numpy(rate))


def divergence_message(network, what):
    """Return a message that says what to lower."""
    rate = learning_rate_of(network)
    return (
        f"Training diverged: {what} is not finite. Lower learning_rate (now {rate:g}) "
        "or limit the gradients with optimizer__clipnorm=1.0."
    )


class StopAtDivergence(keras.callbacks.Callback):
    """Raise an error at the end of an epoch whose loss is not finite, and end it."""

    async_safe = True  # in a thread of its own, so that training need not wait

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(float(logs["loss"])):
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        for name in ("loss", "val_loss"):
            if name in logs and not np.isfinite(float(logs[name])):
                what = f"the {name} of epoch {epoch + 1}"
                raise DivergenceError(divergence_message(self.model, what))


class RecordLearningRate(keras.callbacks.Callback):
    """Write the learning rate of each epoch's last step into the history."""

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = learning_rate_of(self.model)


class FitProgress(keras.callbacks.Callback):
    """Show one progress bar for the whole fit."""

    def __init__(self):
        super().__init__()
        self._bar = None

    def on_train_begin(self, logs=None):
        from rich import progress

        self._bar = progress.Progress(
            "epoch",
            progress.MofNCompleteColumn(),
            progress.BarColumn(),
            "{task.fields[logs]}",
            progress.TimeRemainingColumn(),
        )
        self._task = self._bar.add_task("", total=self.params["epochs"], logs="")
        self._bar.start()

    def on_epoch_end(self, epoch, logs=None):
        shown = " ".join(
            f"{name} {logs[name]:.4g}"
            for name in ("loss", "accuracy", "val_loss", "val_accuracy")
            if name in logs
        )
        self._bar.update(self._task, completed=epoch + 1, logs=shown)

    def close(self):
        """Stop the bar; left running, it would go on drawing and admit no other."""
        if self._bar is not None:
            self._bar.stop()


class EpochLines(keras.callbacks.Callback):
    """Print one line per epoch, for logs that cannot show a bar."""

    def on_epoch_end(self, epoch, logs=None):
        shown = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        print(f"epoch {epoch + 1}/{self.params['epochs']}  {shown}", flush=True)


def copy_callbacks(callbacks):
    """Return copies of the user's callbacks, so that no state passes between fits."""
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                "callbacks must hold instances of keras.callbacks.Callback, "
                f"got {callback!r}."
            )
    return [copy.deepcopy(callback) for callback in callbacks]


def release_callbacks(callbacks):
    """Let callbacks go of the network that they watched."""
    for callback in callbacks:
        # Not their own method: TensorBoard's looks into the network.
        keras.callbacks.Callback.set_model(callback, None)


def picklable_callbacks(callbacks):
    """Return copies of callbacks without what cannot be pickled, such as open files."""
    copies = [copy.copy(callback) for callback in callbacks]
    for callback in copies:
        for name, value in list(vars(callback).items()):
            try:
                pickle.dumps(value)
            except Exception:  # whatever a value's own methods raise
                setattr(callback, name, None)
    return copies
