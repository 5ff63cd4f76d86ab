"""First boot: the questions on the console, and the pairing of two members over the crossover cable."""
