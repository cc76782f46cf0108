"""Callbacks of the training loop."""

import copy

import keras


class RecordLearningRate(keras.callbacks.Callback):
    """Write the learning rate of each epoch's last step into the history."""

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class FitProgress(keras.callbacks.Callback):
    """Show one progress bar for the whole fit."""

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
