"""The wire: what server and client say to each other, one module per area, and `codes`, the table of errors."""
