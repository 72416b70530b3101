"""What readings prove: renewals, leadership, expiry, age, queue activity."""
