"""What a member keeps on flash of its records: the sequence-of-events archive and the durable journal."""
