"""What is here, an entry each: what is known of it, who may know of it, and how one begins with it."""
