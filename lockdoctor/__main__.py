"""Lets `python -m lockdoctor` run the program."""

from lockdoctor.cli.app import run

if __name__ == "__main__":
    run()
