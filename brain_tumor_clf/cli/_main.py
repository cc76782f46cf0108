"""The program: its commands, and every failure as one line and an exit status.

Modules of this folder import TensorFlow, pandas and scikit-learn inside functions, so
that ``--help`` answers at once.
"""

import sys
import traceback
import warnings

import typer

from brain_tumor_clf import __version__
from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._adapt import adapt
from brain_tumor_clf.cli._app import app as serve_app
from brain_tumor_clf.cli._audit import audit
from brain_tumor_clf.cli._compare import compare
from brain_tumor_clf.cli._demo import demo
from brain_tumor_clf.cli._evaluate import evaluate
from brain_tumor_clf.cli._explain import explain
from brain_tumor_clf.cli._info import info
from brain_tumor_clf.cli._predict import predict
from brain_tumor_clf.cli._train import train

PROGRAM = "brain-tumor-clf"
_FAILED, _WRONG_USE, _INTERRUPTED = 1, 2, 130
_NOTHING_KEPT = (
    "Only files that were announced as written are kept, and they are complete. The "
    "same command starts from the beginning."
)

app = typer.Typer(
    name=PROGRAM,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=shell.RESEARCH_ONLY,
)
_COMMANDS = [
    *(demo, audit, train, compare, evaluate, adapt, predict, explain, serve_app, info)
]
for command in _COMMANDS:
    app.command()(shell.kept_if_interrupted(_NOTHING_KEPT)(command))


def _print_version(wanted: bool):
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit()


@app.callback()
def _program(
    version: opt.option(
        bool,
        "--version",
        callback=_print_version,
        is_eager=True,
        help="Show the version.",
    ) = False,
    debug: opt.option(
        bool, "--debug", help="Show tracebacks and every warning."
    ) = False,
):
    """Classify brain-MRI scans: glioma, meningioma, no tumor or pituitary tumor."""


def main(args=None):
    """Run the command line and exit with its status.

    It is 1 if the run failed, 2 if the command line is wrong, 3 if `audit` found leaks.
    """
    args = list(sys.argv[1:] if args is None else args)
    debug = _take_debug(args)
    shell.silence_backends(debug)
    if not debug:
        warnings.showwarning = shell.show_warning
    if hasattr(sys.stdout, "reconfigure"):  # names of files may not be valid UTF-8
        sys.stdout.reconfigure(errors="surrogateescape")
    try:
        status = app(args or ["--help"], prog_name=PROGRAM, standalone_mode=False)
        status = status if args else _WRONG_USE
    except (KeyboardInterrupt, typer.Abort, shell.InterruptionError) as error:
        shell.print_error(f"interrupted. {error}")
        status = _INTERRUPTED
    except Exception as error:
        if debug:
            shell.error_console().print(traceback.format_exc(), markup=False)
        status = _report(error)
    sys.exit(status if isinstance(status, int) else 0)


def _take_debug(args):
    """Remove ``--debug`` from the arguments; return whether it was there."""
    end = args.index("--") if "--" in args else len(args)
    found = "--debug" in args[:end]
    args[:end] = [arg for arg in args[:end] if arg != "--debug"]
    return found


def _report(error):
    """Print an error in one line and return its exit status."""
    if hasattr(error, "format_message"):  # the command line was not understood
        context = getattr(error, "ctx", None)
        path = context.command_path if context else PROGRAM
        shell.print_error(f"{error.format_message()} (see {path} --help)")
        return getattr(error, "exit_code", _WRONG_USE)
    message = str(error).strip()
    # A KeyError's text is a bare key; only our own errors and Python's say enough.
    if not message or isinstance(error, (KeyError, AssertionError, RecursionError)):
        message = f"{type(error).__name__}: {message}"
    shell.print_error(message)
    return _FAILED
