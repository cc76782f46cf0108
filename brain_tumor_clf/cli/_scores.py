"""Scores of predictions: as plain data for JSON, and as tables for the terminal."""


def score(y_true, y_pred):
    """Accuracy, balanced accuracy, report and confusion matrix as plain data."""
    import warnings

    import numpy as np
    from sklearn.exceptions import UndefinedMetricWarning
    from sklearn.metrics import (
        accuracy_score,
        classification_report,
        confusion_matrix,
    )

    labels = np.unique(np.concatenate([y_true, y_pred]))
    matrix = confusion_matrix(y_true, y_pred, labels=labels)
    with warnings.catch_warnings():
        # A class that is never predicted has precision 0: the report shows it.
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        report = classification_report(y_true, y_pred, output_dict=True)
    present = matrix.sum(axis=1) > 0
    recalls = matrix.diagonal()[present] / matrix.sum(axis=1)[present]
    return {
        "n": len(y_true),
        "accuracy": float(accuracy_score(y_true, y_pred)),
        "balanced_accuracy": float(recalls.mean()),
        "classes": labels.tolist(),
        "confusion_matrix": matrix.tolist(),
        "report": {
            str(label): {key: float(value) for key, value in report[str(label)].items()}
            for label in labels
        },
    }


def print_scores(out, scores, title):
    """Print a report per class and the confusion matrix."""
    report = _table(title, ["class", "precision", "recall", "f1", "images"])
    for label in scores["classes"]:
        row = scores["report"][str(label)]
        report.add_row(
            str(label),
            *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1-score")),
            f"{row['support']:.0f}",
        )
    out.print(report)
    out.print(
        f"accuracy {scores['accuracy']:.3f}, balanced accuracy "
        f"{scores['balanced_accuracy']:.3f}, {scores['n']} images\n"
    )
    names = [str(label) for label in scores["classes"]]
    matrix = _table("Confusion matrix (rows: true class)", ["", *names])
    for name, row in zip(names, scores["confusion_matrix"], strict=True):
        matrix.add_row(name, *map(str, row))
    out.print(matrix)


def print_comparison(out, rows, title, n_folds):
    """Print one line per model: its scores over folds and the time they took."""
    head = ["model", "accuracy", "balanced", "lowest", "seconds"]
    table = _table(title, head)
    for name, result in rows.items():
        table.add_row(
            name,
            spread(result, "accuracy"),
            spread(result, "balanced_accuracy"),
            f"{min(fold['accuracy'] for fold in result['folds']):.3f}",
            f"{result['seconds']:.0f}",
        )
    out.print(table)
    out.print(
        f"mean ± standard deviation over {n_folds} folds, and the lowest of them\n",
        style="dim",
    )


def spread(result, name):
    """A score's mean and standard deviation over folds as text."""
    return f"{result['mean'][name]:.3f} ± {result['std'][name]:.3f}"


def save_confusion_matrix(y_true, y_pred, path, title):
    """Draw the confusion matrix to an image file."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    # A figure of its own: no window, no global state of pyplot.
    axes = Figure(figsize=(5.5, 4.8), layout="constrained").subplots()
    ConfusionMatrixDisplay.from_predictions(
        y_true, y_pred, ax=axes, cmap="Blues", colorbar=False
    )
    axes.set_title(title, fontsize=11)
    axes.figure.savefig(path, dpi=150)


def _table(title, columns):
    from rich import box
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=True)
    return table
