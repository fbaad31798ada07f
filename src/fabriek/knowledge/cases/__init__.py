"""Cases: what somebody needs of the desk, who is on it, by when, and the document that a large one asks for."""
