"""Documents for programs, one file each, with the schema beside them."""
