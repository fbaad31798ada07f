"""What people who mean harm have sent to tracking servers, each class of it once: refused, and the next call is answered."""
