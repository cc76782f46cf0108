"""Drop the files of a session soon after its page is closed.

Streamlit keeps a closed session, with its uploads and the addresses of its images, in
case its visitor lost the connection only for a moment. It drops the session when the
next visitor comes, which may be hours later.
"""

import threading
import time

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

KEEP_SECONDS = 40  # after the connection was lost
_CHECK_SECONDS = 5

_last_connected = {}  # session -> time
_lock = threading.Lock()
_thread = None


def watch_session():
    """Have the session of this script run dropped after its page is closed."""
    global _thread
    if not runtime.exists():  # in tests
        return
    with _lock:
        _last_connected[get_script_run_ctx().session_id] = time.monotonic()
        if _thread is None:
            _thread = threading.Thread(target=_drop_closed_sessions, daemon=True)
            _thread.start()


def _drop_closed_sessions():
    app = runtime.get_instance()
    while True:
        time.sleep(_CHECK_SECONDS)
        closed = _find_closed(app.is_active_session, time.monotonic())
        for session in closed:
            # Sessions may be closed on the thread of Streamlit's event loop alone.
            loop = app._get_async_objs().eventloop
            loop.call_soon_threadsafe(_close, app, session)


def _find_closed(is_connected, now):
    """Return the sessions to drop, and forget them."""
    with _lock:
        for session in _last_connected:
            if is_connected(session):
                _last_connected[session] = now
        closed = [s for s, t in _last_connected.items() if now - t >= KEEP_SECONDS]
        for session in closed:
            del _last_connected[session]
    return closed


def _close(app, session):
    found = app._session_mgr.get_session_info(session)
    app.close_session(session)
    # Files to download are only marked the first time.
    app.media_file_mgr.remove_orphaned_files()
    if found is not None:
        # Streamlit's loop refers to its last session until another visitor comes.
        found.session._session_state.clear()
