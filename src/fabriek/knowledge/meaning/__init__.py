"""Finding by meaning: what stands near a question though it says it in other words, or in another language."""
