"""Reports on the terminal, in 80 columns: what `reports` computed, as tables."""

from brain_tumor_clf.cli._console import print_research_only

_SCORE_TABLES = (
    ("Scores", "scores"),
    ("Scores of one vote a group", "group_scores"),
    ("Scores of images without a copy or mirror in training", "unseen_scores"),
)
_RATES = ("sensitivity", "specificity", "precision")
_N_NAMED = 20
_COLORS = {"severe": "bold red", "warning": "yellow", "note": "blue", "good": "green"}


def print_evaluation(out, report, title, *, over_folds=()):
    """Print an `EvaluationReport`: scores, classes, confusion, controls.

    Parameters
    ----------
    out : Console
    report : EvaluationReport
    title : str
    over_folds : sequence of str, default=()
        Lines on the spread over folds, to stand under the scores.
    """
    out.print(f"{title}\n", style="bold", markup=False, soft_wrap=True)
    for heading, name in _SCORE_TABLES:
        table = getattr(report, name)
        # Where no image has a copy in training, those without are all of them.
        is_new = name == "scores" or table is not report.scores
        if table is not None and is_new:
            _print_scores(out, table, heading)
    if over_folds:
        out.print("\n".join(over_folds) + "\n", markup=False)
    _print_classes(out, report.per_class)
    _print_confusion(out, report.confusion)
    if report.controls is not None:
        print_controls(out, report.controls)
    _print_pairs(out, [("-", text) for text in report.notes])
    print_protocol(out, report.protocol)


def print_comparison(out, comparison, title):
    """Print a `Comparison`: scores over folds, and differences to the first.

    What it was computed on is for `print_protocol`: another report may follow first.
    """
    out.print(f"{title}\n", style="bold", markup=False, soft_wrap=True)
    frame = comparison.to_frame()
    has_seeds = frame["seed_std"].notna().any()
    head = ["", comparison.scoring.replace("_", " "), "lowest"]
    head += ["over seeds"] if has_seeds else []
    table = _table([*head, "fit s", "predict s"])
    for name, row in frame.iterrows():
        cells = [name, _mean_std(row["mean"], row["std"]), _number(row["lowest"])]
        cells += [f"± {_number(row['seed_std'])}"] if has_seeds else []
        times = (f"{row[column]:.1f}" for column in ("fit_time", "predict_time"))
        _add(table, *cells, *times)
    out.print(table)
    if len(frame) > 1:
        _print_differences(out, frame)
    out.print("Mean ± standard deviation over folds, the lowest of them.", style="dim")


def print_audit(out, audit):
    """Print a `DatasetAudit`: findings, copies across the split, controls."""
    out.print("Audit of a data set\n", style="bold")
    _print_findings(out, audit.findings)
    _print_unreadable(out, audit.to_frame("unreadable"))
    if audit.leakage is not None:
        _print_leakage(out, audit.leakage)
    if len(audit.controls):
        print_controls(out, audit.controls)
    print_protocol(out, audit.protocol)


def print_controls(out, controls):
    """Print accuracies of controls, one table for each task."""
    for task, part in controls.groupby("task", sort=False):
        wide = part.pivot(index="control", columns="protocol", values="accuracy")
        wide = wide.loc[part["control"].unique(), part["protocol"].unique()]
        table = _table(["", *wide.columns], wrap_heads=True)
        for name, row in wide.iterrows():
            _add(table, name, *map(_percent, row))
        majority = part.groupby("protocol")["majority"].first()
        commonest = (_percent(majority[column]) for column in wide.columns)
        _add(table, "always the commonest class", *commonest)
        title = f"Accuracy beside controls that see almost nothing of a tumor, {task}"
        _print_table(out, title, table)


def print_protocol(out, protocol):
    """Print what a report was computed on, and that it is for research only."""
    out.print("\nComputed on", style="bold")
    _print_pairs(out, protocol.rows(), style="dim")
    print_research_only(out)


def _print_pairs(out, pairs, style=""):
    """Print heads with texts beside them that stay in their column."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for head, text in pairs:
        grid.add_row(Text(head), Text(text))
    if grid.row_count:
        out.print(grid, style=style)


def _print_scores(out, scores, title):
    table = _table(["", "value", "interval", "kind"], left=("", "kind"))
    for name, row in scores.iterrows():
        interval = _interval(row["low"], row["high"])
        label = name.replace("_", " ")
        _add(table, label, _number(row["value"]), interval, row["interval"])
    _print_table(out, title, table)


def _print_classes(out, per_class):
    table = _table(["class", "images", *_RATES])
    for name, row in per_class.iterrows():
        cells = [
            _rate(row[rate], row[f"{rate}_low"], row[f"{rate}_high"]) for rate in _RATES
        ]
        _add(table, str(name), f"{row['support']:.0f}", *cells)
    _print_table(out, "Classes, with intervals", table)


def _print_confusion(out, confusion):
    names = [str(name) for name in confusion.columns]
    table = _table(["", *names], wrap_heads=len(names) > 4)
    for name, row in confusion.iterrows():
        _add(table, str(name), *map(str, row))
    _print_table(out, "Confusion matrix (rows: true class)", table)


def _print_differences(out, frame):
    first, *others = frame.index
    head = ["", "difference", "95 % interval", "p"]
    table = _table(head)
    for name in others:
        row = frame.loc[name]
        interval = f"{row['low']:+.3f} to {row['high']:+.3f}"
        _add(
            table, name, f"{row['difference']:+.3f}", interval, _number(row["p_value"])
        )
    _print_table(out, f"Against {first}, corrected resampled t-test", table)


def _print_findings(out, findings):
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    for severity, title, detail, fix in findings:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, min_width=7)
        grid.add_column(overflow="fold")
        grid.add_row(
            Text(severity.capitalize(), style=_COLORS[severity]),
            Text(title, style="bold"),
        )
        if detail:
            grid.add_row("", Text(detail))
        out.print(grid)
        for line in fix.splitlines():
            # Whole lines: they are there to be copied.
            out.print(Padding(Text(line, "dim"), (0, 0, 0, 4)), soft_wrap=True)
        out.print()


def _print_unreadable(out, unreadable):
    if len(unreadable):
        some = unreadable.head(_N_NAMED)
        out.print("Images that cannot be read", style="italic")
        for name, reason in zip(some["name"], some["failure"], strict=True):
            out.print(f"{name}: {reason}", markup=False, soft_wrap=True)
        n_more = len(unreadable) - len(some)
        out.print(f"and {n_more:,} more: --json, --html\n" if n_more else "")


def _print_leakage(out, leakage):
    kinds = [
        name for name in ("exact", "near", "mirrored", "rotated") if name in leakage
    ]
    head = ["class", "test images", *kinds, "with a copy", "share", "same group"]
    table = _table(head, wrap_heads=True)
    for name, row in leakage.iterrows():
        counts = (f"{row[column]:,.0f}" for column in ("images", *kinds, "with a copy"))
        same = f"{row['same group']:,.0f}"
        _add(table, str(name), *counts, _percent(row["share"]), same)
    _print_table(out, "Test images with a copy in training", table)


def _table(columns, *, left=("", "class"), wrap_heads=False):
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(
            Text(str(column)),
            justify="left" if column in left else "right",
            no_wrap=not (wrap_heads and i),
            min_width=max(map(len, str(column).split()), default=0),
        )
    return table


def _print_table(out, title, table):
    # A title of the table's own would be as narrow as the table.
    out.print(title, style="italic", markup=False, soft_wrap=True)
    out.print(table)


def _add(table, *cells):
    """Add a row of plain text; names of classes may hold brackets."""
    from rich.text import Text

    table.add_row(*map(Text, cells))


def _number(value):
    return "-" if value != value else f"{value:.3f}"


def _percent(value):
    return "-" if value is None or value != value else f"{100 * value:.1f} %"


def _interval(low, high):
    return "" if low != low else f"{low:.3f}-{high:.3f}"


def _rate(value, low, high):
    return "-" if value != value else f"{value:.2f} ({low:.2f}-{high:.2f})"


def _mean_std(mean, std):
    return _number(mean) if std != std else f"{mean:.3f} ± {std:.3f}"
