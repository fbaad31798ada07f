"""The catalogue for other catalogues: what the world may know of, as they read it."""
