"""The command line: parse, wire, run, render, return a status."""
