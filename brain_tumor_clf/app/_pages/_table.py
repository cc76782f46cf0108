"""All results in one table, and as a file."""

import base64
import io

import pandas as pd
import streamlit as st

from brain_tumor_clf.app._csv import to_csv
from brain_tumor_clf.app._plain import plain
from brain_tumor_clf.app._results import count_states


def show_table(model, results):
    """A row for each result, how many there are of each state, and the CSV file."""
    counts = count_states(results)
    summary = ", ".join(f"{n} {state}" for state, n in counts.items())
    st.subheader(f"{len(results)} file{'s' if len(results) > 1 else ''}", anchor=False)
    st.caption(summary)
    st.dataframe(
        _frame(results),
        hide_index=True,
        width="stretch",
        column_config={
            "": st.column_config.ImageColumn(width=48),
            "file": st.column_config.TextColumn(width="medium"),
            "probability": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1
            ),
        },
    )
    st.download_button(
        "Download as CSV",
        to_csv(model, results).encode(),
        file_name="brain-tumor-clf.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _frame(results):
    rows = []
    for result in results:
        answer = result.shown_answer
        rows.append(
            {
                "": "" if result.thumbnail is None else _uri(result.thumbnail),
                "file": plain(result.name),
                "result": result.label or result.state,
                "probability": None if answer is None else answer.probability,
                "remark": plain(result.error or "; ".join(result.notes) or " ", 200)
                if result.error or result.notes
                else "",
            }
        )
    return pd.DataFrame(rows)


def _uri(thumbnail):
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(thumbnail).save(buffer, format="JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
