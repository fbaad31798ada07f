"""Who knows: questions and answers, experts and their hours."""
