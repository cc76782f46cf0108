"""Start Streamlit with settings that keep a visitor's scans to themselves."""

import ipaddress
import socket
import threading
import time
from pathlib import Path

from brain_tumor_clf.app._results import BYTES_A_MB, MAX_FILE_MB

_SCRIPT = Path(__file__).with_name("main.py")
_LOCAL_NAMES = ["localhost", "127.0.0.1", "::1"]
_THEME = {
    "font": "sans-serif",
    "baseRadius": "10px",
    "showWidgetBorder": True,
    "headingFontWeights": [600, 600, 600],
    "headingFontSizes": ["1.75rem", "1.25rem", "1.05rem"],
}
_LIGHT = {
    "primaryColor": "#1f5fa8",
    "backgroundColor": "#fbfbfa",
    "secondaryBackgroundColor": "#f1f3f6",
    "textColor": "#1d2330",
    "borderColor": "#dfe2e8",
    "linkColor": "#1f5fa8",
}
_DARK = {
    "primaryColor": "#5b9ee0",
    "backgroundColor": "#14171c",
    "secondaryBackgroundColor": "#1c2027",
    "textColor": "#e6e9ee",
    "borderColor": "#323945",
    "linkColor": "#7fb5f5",
}


def serve(model, *, name, host="127.0.0.1", port=8501, ready=lambda url: None):
    """Serve the app in this process until it is interrupted.

    Parameters
    ----------
    model : fitted classifier
        With ``predict_proba``, of files given as bytes; a `SelectiveClassifier` with
        its guard and its abstention threshold.
    name : str
        What the pages call the model.
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
    served = ServedModel(model, name)
    served.warm_up()
    serve_model(served)
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
    """Tell whether an address can be reached from this machine alone.

    Examples
    --------
    >>> from brain_tumor_clf.app import is_local
    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _options(host, port):
    """Return Streamlit's settings, which override those of any file of the user."""
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": host,
        "client.disableDataExport": True,  # the page has a CSV file of its own
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "server.address": host,
        # Else a foreign host name that points here would pass for this app's page.
        "server.allowedHosts": _LOCAL_NAMES if is_local(host) else [],
        "server.disconnectedSessionTTL": 60,  # `_session` drops them before
        "server.enableStaticServing": False,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": MAX_FILE_MB,
        "server.port": port,
        "server.showEmailPrompt": False,
        **_named("theme", _THEME),
        **_named("theme.light", _LIGHT),
        **_named("theme.dark", _DARK),
    }


def _named(section, options):
    return {f"{section}.{name}": value for name, value in options.items()}


def _check_address(host, port):
    """Return the port, or a free one for 0; raise an OSError if it is taken."""
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
    """Keep Starlette from writing uploads beyond 1 MB to temporary files."""
    try:
        from starlette.formparsers import MultiPartParser
    except ImportError:  # a Streamlit on Tornado, which writes no such files
        return
    MultiPartParser.spool_max_size = (MAX_FILE_MB + 2) * BYTES_A_MB
