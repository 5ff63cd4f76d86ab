"""Load for the figures: transitions that enter at the database's door of a running pair, and a client that counts."""
