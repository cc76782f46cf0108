"""Start Streamlit with settings that keep a visitor's scans to themselves."""

import ipaddress
import socket
import threading
import time
from pathlib import Path

from brain_tumor_clf.app._limits import (
    BYTES_A_MB,
    FORGET_AFTER_SECONDS,
    MAX_FILE_MB,
)

_SCRIPT = Path(__file__).with_name("main.py")
_LOCAL_NAMES = ["localhost", "127.0.0.1", "::1"]


def serve(pipeline, *, name, host="127.0.0.1", port=8501, ready=lambda url: None):
    """Serve the app in this process until it is interrupted.

    Parameters
    ----------
    pipeline : fitted classifier
        With ``predict_proba``, of files given as bytes.
    name : str
        How pages call the model.
    host : str, default="127.0.0.1"
        Address to listen at. The default can be reached from this machine alone.
    port : int, default=8501
        Port to listen at; 0 takes a free one.
    ready : callable
        Called with the address of the app as soon as it answers there.

    Raises
    ------
    OSError
        If nothing can listen at this address and port.
    TypeError
        If the model gives no probabilities.
    """
    from brain_tumor_clf.app._served import ServedModel, serve_model

    port = _check_address(host, port)
    model = ServedModel(pipeline, name)
    model.warm_up()
    serve_model(model)
    _keep_uploads_in_memory()
    from streamlit.web import bootstrap

    options = _options(host, port)
    bootstrap.load_config_options(options)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    threading.Thread(
        target=_call_when_served, args=(host, port, lambda: ready(url)), daemon=True
    ).start()
    bootstrap.run(str(_SCRIPT), False, [], options)


def is_local(host):
    """Whether an address can be reached from this machine alone.

    Examples
    --------
    >>> from brain_tumor_clf.app._serve import is_local
    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _options(host, port):
    """Streamlit's settings; they stand above those of any file of the user."""
    from brain_tumor_clf.app._style import theme_options

    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": host,
        "client.disableDataExport": True,  # the page has a CSV file of its own
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "server.address": host,
        # Else a stranger's name that points here would pass for this app's own page.
        "server.allowedHosts": _LOCAL_NAMES if is_local(host) else [],
        "server.disconnectedSessionTTL": FORGET_AFTER_SECONDS,
        "server.enableStaticServing": False,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": MAX_FILE_MB,
        "server.port": port,
        "server.showEmailPrompt": False,
        **theme_options(),
    }


def _check_address(host, port):
    """The port, a free one in place of 0; an OSError of one line if it is taken."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return probe.getsockname()[1]
    except OSError as error:
        raise OSError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}. Choose "
            "another --port, or stop what uses it."
        ) from error


def _call_when_served(host, port, ready):
    """Call as soon as something listens at the address."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # no address to connect to
    while True:
        try:
            socket.create_connection((everywhere.get(host, host), port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return ready()


def _keep_uploads_in_memory():
    """Starlette would put the part of an upload beyond 1 MB into a temporary file."""
    try:
        from starlette.formparsers import MultiPartParser
    except ImportError:  # a Streamlit on Tornado, which has no such files
        return
    MultiPartParser.spool_max_size = (MAX_FILE_MB + 2) * BYTES_A_MB
