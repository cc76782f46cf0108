"""``python -m brain_tumor_clf.cli``: the command line without its script."""

from brain_tumor_clf.cli import main

if __name__ == "__main__":
    main()
