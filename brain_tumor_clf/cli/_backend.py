"""Start the deep-learning backend without its chatter on the terminal."""

import logging
import os
import sys
import tempfile
from contextlib import contextmanager

_DEBUG = "BRAIN_TUMOR_CLF_DEBUG"


def silence_backends(debug):
    """Set what libraries read once, at import; only the command line does so."""
    os.environ.setdefault("MPLBACKEND", "agg")  # pictures go to files
    if debug:
        os.environ[_DEBUG] = "1"
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


def start_backend():
    """Import Keras and its backend; some seconds."""
    with _held_back_stderr():
        # For models' files. It searches all modules that are loaded: few before Keras.
        import skops.io  # noqa: F401  # isort: skip

        import keras

        keras.config.backend()
    if _DEBUG not in os.environ:
        # Cross-validation builds many networks; that this traces anew is no news.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextmanager
def _held_back_stderr():
    """Hold back what C++ writes to stderr; give it out if the import fails.

    TensorFlow 2.21 prints two notes on rounding before it reads any setting.
    """
    if _DEBUG in os.environ:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
