"""Coming in and going out: invitations, access reviews, leavers, classes."""
