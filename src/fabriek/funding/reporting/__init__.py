"""What became of the credits: reports for those who pay, a page for all, how fast a project spends, and what was sold of the machine."""
