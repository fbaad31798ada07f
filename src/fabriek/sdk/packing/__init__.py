"""The folder of a pack: what stands in its files (`texts`), their hashes (`checksums`), making it (`writing`), and what comes back (`results`)."""
