"""JSON documents for programs, one file per document, with their schema."""
