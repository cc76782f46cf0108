"""What a session remembers, and forgets: nothing here is shared between visitors."""

import streamlit as st

from brain_tumor_clf.app._heat import fit_heat
from brain_tumor_clf.app._results import Upload, classify

_UPLOADS = "uploads"
# What was made of files: by (key of the file,) and by (key of the file, class).
_RESULTS, _MAPS = "results", "maps"


def keep_uploads(files):
    """The files of this session: those of the uploader, or the ones before.

    Streamlit empties an uploader when its page is left; a visitor who looks at the
    model card in between should not have to bring the files again.

    Parameters
    ----------
    files : list of UploadedFile

    Returns
    -------
    list of Upload
    """
    if files:
        uploads = [Upload(f.file_id, f.name, f.getvalue()) for f in files]
        st.session_state[_UPLOADS] = uploads
    uploads = st.session_state.get(_UPLOADS, [])
    _forget_all_but({upload.key for upload in uploads})
    return uploads


def forget_uploads():
    """Forget the files of this session; what was made of them goes when next asked."""
    st.session_state.pop(_UPLOADS, None)


def results_of(model, uploads):
    """Results of uploads, in order; only those not seen before are classified."""
    known = st.session_state.get(_RESULTS, {})
    new = [upload for upload in uploads if (upload.key,) not in known]
    if new:
        what = "the scan" if len(new) == 1 else f"{len(new)} scans"
        with st.spinner(f"Looking at {what}…"):
            fresh = classify(model, new)
        known = known | dict(zip(((u.key,) for u in new), fresh, strict=True))
        st.session_state[_RESULTS] = known
    return [known[upload.key,] for upload in uploads]


def map_of(model, upload, label, shape):
    """The heat map of a class in an upload, made when it is first asked for.

    Parameters
    ----------
    model : ServedModel
    upload : Upload
    label : str
    shape : (int, int)
        Height and width of the scan on the screen.

    Returns
    -------
    ndarray of that shape, float32, or None
        None if this model can't be explained so.
    """
    maps = st.session_state.setdefault(_MAPS, {})
    key = (upload.key, label)
    if key not in maps:
        try:
            # At the size of the scan it could have a hundred megabytes.
            maps[key] = fit_heat(model.explain(upload.data, label), shape)
        except (TypeError, NotImplementedError):
            maps[key] = None
    return maps[key]


def _forget_all_but(keys):
    """Drop what was made of other files."""
    for name in (_RESULTS, _MAPS):
        made = st.session_state.get(name, {})
        st.session_state[name] = {k: v for k, v in made.items() if k[0] in keys}
