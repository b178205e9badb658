"""The report of a table, made from the files of its runs."""
