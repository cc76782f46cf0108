"""``app``: the web app in the browser."""

from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import RESEARCH_ONLY, note, print_warning
from brain_tumor_clf.cli._files import PLOTS, require_extra
from brain_tumor_clf.cli._model import TrustPickleOption, open_model

_PACKAGES = {"streamlit": "streamlit", **PLOTS}


def app(
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Model file that `train` or `demo` wrote. Default: the packaged one.",
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, metavar="N", help="Port to listen at; 0 takes a free one."
        ),
    ] = 8501,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen at. The default can be reached from this machine "
            "alone; 0.0.0.0 from every machine that reaches it.",
        ),
    ] = "127.0.0.1",
    trust_pickle: TrustPickleOption = False,
):
    """Classify scans in the browser: drag and drop, heat maps, a table.

    Uploaded files stay in memory and are forgotten when their page is closed.
    """
    require_extra("app", _PACKAGES)
    note("Starting the model…")
    start_backend()
    from brain_tumor_clf.app import serve

    serve(
        open_model(model, trust_pickle),
        name="The packaged model" if model is None else model.name,
        host=host,
        port=port,
        ready=lambda url: _announce(url, host),
    )


def _announce(url, host):
    from brain_tumor_clf.app import is_local

    if not is_local(host):
        print_warning(
            f"whoever reaches {host} can use the app: it asks for no password and does "
            "not encrypt. Scans of patients need a proxy before it that does both."
        )
    note(f"Open {url}  (Ctrl+C stops it). {RESEARCH_ONLY}")
