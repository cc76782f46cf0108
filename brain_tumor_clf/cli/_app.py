"""``app``: the web app in the browser."""

from pathlib import Path

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._model import open_model


def app(
    model: opt.option(
        Path | None,
        **opt.FILE,
        metavar="FILE",
        help="Model file written by `train` or `demo`. Default: the packaged one.",
    ) = None,
    port: opt.option(
        int,
        min=0,
        max=65535,
        metavar="N",
        help="Port to listen on; 0 takes a free one.",
    ) = 8501,
    host: opt.option(
        str,
        metavar="ADDRESS",
        help="Address to listen on. The default is reachable from this machine "
        "only; 0.0.0.0 from every machine on the network.",
    ) = "127.0.0.1",
    trust_pickle: opt.TrustPickleOption = False,
):
    """Classify scans in the browser: drag and drop, heat maps, a table.

    Uploaded files stay in memory and are dropped within a minute after their page is
    closed.
    """
    shell.require_extra("app", "streamlit", "matplotlib")
    shell.note("Starting the model…")
    shell.start_backend()
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
        shell.print_warning(
            f"whoever reaches {host} can use the app: it has no password and no "
            "encryption. For scans of patients, put a proxy with both in front of it."
        )
    shell.note(f"Open {url}  (Ctrl+C stops it). {shell.RESEARCH_ONLY}")
