"""Callbacks of the training loop."""

import copy

import keras
import numpy as np


class OwnCallback(keras.callbacks.Callback):
    """A callback of ours, closed after each fit, an interrupted one too."""

    def close(self):
        """Let go of what training left open."""


class BestWeights(OwnCallback):
    """Stop when the validation loss no longer falls, and keep the best weights.

    Parameters
    ----------
    patience : int
        Number of epochs without a lower validation loss before training stops.
    """

    def __init__(self, patience):
        super().__init__()
        self.patience = patience
        self.best_loss = np.inf
        self.best_epoch = None
        self._weights = None

    def on_epoch_end(self, epoch, logs=None):
        loss = logs["val_loss"]
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch
            # Not `get_weights`, whose way to an array NumPy 2 deprecates under JAX.
            self._weights = [np.array(np.asarray(w)) for w in self.model.weights]
        elif self.best_epoch is not None and epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self._weights is not None:
            self.model.set_weights(self._weights)
            self._weights = None


class RecordLearningRate(OwnCallback):
    """Write the learning rate of each epoch's last step into the history."""

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class FitProgress(OwnCallback):
    """One progress bar for the whole fit."""

    def __init__(self):
        super().__init__()
        self._bar = None

    def on_train_begin(self, logs=None):
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("epoch"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("{task.fields[logs]}"),
            TimeRemainingColumn(),
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
        # Left running, the bar goes on drawing, and no other one may start.
        if self._bar is not None:
            self._bar.stop()


class EpochLines(OwnCallback):
    """One printed line per epoch, for logs that cannot show a bar."""

    def on_epoch_end(self, epoch, logs=None):
        shown = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        print(f"epoch {epoch + 1}/{self.params['epochs']}  {shown}", flush=True)


def copy_callbacks(callbacks):
    """Copies of the user's callbacks, so that no state passes from fit to fit.

    Raises
    ------
    TypeError
        If an entry is not a Keras callback.
    """
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    if not isinstance(callbacks, list | tuple):
        raise TypeError(
            "callbacks must be None, a Keras callback or a list of them, "
            f"got {type(callbacks).__name__}."
        )
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                "callbacks must hold instances of keras.callbacks.Callback, "
                f"got {callback!r}."
            )
    return [copy.deepcopy(callback) for callback in callbacks]
