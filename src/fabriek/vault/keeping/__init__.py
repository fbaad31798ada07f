"""Keys and how long data is kept: epochs and the homes of keys, rotation, holds, erasure, and the seal on the whole vault."""
