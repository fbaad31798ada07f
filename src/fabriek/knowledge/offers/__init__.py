"""The services of the factory: for whom each is, at what price, and within how many working days there is an answer."""
