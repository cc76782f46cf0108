"""What a session remembers, until soon after its page is closed.

Streamlit keeps a closed session, with its uploads and the addresses of its images, in
case its visitor lost the connection only for a moment. It drops the session when the
next visitor comes, which may be hours later; here it is dropped before.
"""

import threading
import time
from contextlib import contextmanager
from functools import partial

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from brain_tumor_clf.app._images import fit_heat
from brain_tumor_clf.app._results import Upload, classify

_UPLOADS = "uploads"
# What was made of files: by (key of the file, guard) and by (key of the file, class).
_RESULTS, _MAPS = "results", "maps"
KEEP_SECONDS = 40  # after the connection was lost
_CHECK_SECONDS = 5
_FRAME_SIGN = "#"  # in the key of a frame, after that of its file
_last_connected = {}  # session -> time
_lock = threading.Lock()
_thread = None


def keep_uploads(files):
    """Return the files of this session: those of the uploader, or the ones before.

    Streamlit empties an uploader when its page is left; a visitor who looks at the
    model card in between need not upload the files again.
    """
    if files:
        uploads = [Upload(f.file_id, f.name, f.getvalue()) for f in files]
        st.session_state[_UPLOADS] = uploads
    uploads = st.session_state.get(_UPLOADS, [])
    _drop_all_but({upload.key for upload in uploads})
    return uploads


def drop_uploads():
    """Drop the files of this session, and in the next run what was made of them."""
    st.session_state.pop(_UPLOADS, None)


def results_of(model, uploads, *, guard=True):
    """Return the results of uploads, in order; only new ones are classified."""
    known = st.session_state.setdefault(_RESULTS, {})
    new = [upload for upload in uploads if (upload.key, guard) not in known]
    if new:
        what = "the scan" if len(new) == 1 else f"{len(new)} scans"
        turn = partial(_turn, model, f"Classifying {what}…")
        results = classify(model, new, guard=guard, turn=turn)
        for upload, result in zip(new, results, strict=True):
            known[upload.key, guard] = result
    return [known[upload.key, guard] for upload in uploads]


def map_of(model, upload, label, shape):
    """Return the heat map of a class in an upload, computed when first asked for.

    It has the `shape` of the scan on the screen, and is None if the model has none.
    """
    maps = st.session_state.setdefault(_MAPS, {})
    key = (upload.key, label)
    if key not in maps:
        with _turn(model, "Computing the heat map…"):
            try:
                # At the size of the scan it could take a hundred megabytes.
                maps[key] = fit_heat(model.explain(upload.source, label), shape)
            except (TypeError, NotImplementedError):
                maps[key] = None
    return maps[key]


@contextmanager
def _turn(model, text):
    """Hold the model; the page says how many are ahead, then what is being done."""
    place = st.empty()

    def show_place(n_ahead):
        people = "One visitor is" if n_ahead == 1 else f"{n_ahead} visitors are"
        place.info(f"{people} ahead of you.", icon=":material/hourglass_top:")

    with model.queue.turn(show_place):
        place.empty()
        with place, st.spinner(text):
            yield
    place.empty()


def choose_frame(upload, number):
    """Return an upload of which a frame is meant; frames are counted from 1."""
    key = f"{upload.key}{_FRAME_SIGN}{number}"
    return upload._replace(key=key, frame=number - 1)


def _drop_all_but(keys):
    """Drop what was made of other files."""
    for name in (_RESULTS, _MAPS):
        made = st.session_state.get(name, {})
        st.session_state[name] = {
            k: v for k, v in made.items() if k[0].partition(_FRAME_SIGN)[0] in keys
        }


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
