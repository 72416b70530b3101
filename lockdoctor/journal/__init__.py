"""Write down what lockdoctor does to clusters, and read it back."""
