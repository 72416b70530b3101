"""Runs the program for `python -m lockdoctor`."""

from lockdoctor.cli.main import run

if __name__ == "__main__":
    run()
