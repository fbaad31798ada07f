"""What becomes of credits after their award: `ending` gives back what nobody used."""
