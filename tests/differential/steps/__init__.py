"""The script, a module for each noun."""
