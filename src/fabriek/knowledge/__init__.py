"""What is here, who knows, how to begin: published cards and their search, questions and answers, experts and their hours,
cases with their documents, needs and offers, and training.
"""
