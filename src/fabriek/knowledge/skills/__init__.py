"""What people can do: a list of skills as dated data, and how skills are compared."""
