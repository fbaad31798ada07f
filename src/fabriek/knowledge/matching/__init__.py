"""Needs and offers of organisations, brought together: nobody is named before both said yes."""
