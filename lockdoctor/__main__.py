"""Lets `python -m lockdoctor` run the program."""

from lockdoctor.cli.main import run

if __name__ == "__main__":
    run()
